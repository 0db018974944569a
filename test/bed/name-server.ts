import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HEADER_BYTES = 12;
/** Response, recursion desired and available, no error. */
const FLAGS = 0x8180;
const NS = 2;
const INTERNET = 1;
const SECONDS = 60;

/** An answer to any question: that name's server is `ns`. */
const answerTo = (query: Buffer): Buffer => {
  const answer = Buffer.alloc(12);
  // The name of the question, which begins right after the header.
  answer.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  answer.writeUInt16BE(NS, 2);
  answer.writeUInt16BE(INTERNET, 4);
  answer.writeUInt32BE(SECONDS, 6);
  const server = Buffer.from('\x02ns\0', 'latin1');
  answer.writeUInt16BE(server.length, 10);
  const header = Buffer.from(query.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(FLAGS, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 6);
  header.writeUInt32BE(0, 8);
  // Of the question as far as its end: a resolver may append options of its own.
  const end = query.indexOf(0, HEADER_BYTES) + 5;
  return Buffer.concat([header, query.subarray(HEADER_BYTES, end), answer, server]);
};

/** A resolver for the hosts of a bed, which have none: it answers whatever it is asked for. */
export const startNameServer = async (address: string): Promise<{ close: () => void }> => {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    socket.send(answerTo(query), from.port, from.address);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  socket.unref();
  return {
    close: () => {
      socket.close();
    },
  };
};
