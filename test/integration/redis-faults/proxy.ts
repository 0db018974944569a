import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A way to Redis that a test may harm. */
export interface Proxy {
  port: number;
  /** Each chunk of either direction is so late, in ms; what was sent one after the other stays so. */
  delayMs: number;
  /** From now nothing is forwarded, in either direction; connections stand, and further ones are taken. */
  swallow: () => void;
  /** Connections made from now are forwarded; those that were swallowed stay so. */
  heal: () => void;
  /** Cut every connection. */
  cut: () => void;
  stop: () => void;
}

export const startProxy = async (target: number): Promise<Proxy> => {
  const open = new Set<Socket>();
  let swallowing = false;
  const proxy: Proxy = {
    port: 0,
    delayMs: 0,
    swallow: () => {
      swallowing = true;
      // Also those that stand: with nobody who reads them.
      for (const socket of open) {
        socket.removeAllListeners('data');
        socket.pause();
      }
    },
    heal: () => {
      swallowing = false;
    },
    cut: () => {
      for (const socket of open) socket.destroy();
    },
    stop: () => {
      proxy.cut();
      server.close();
    },
  };
  const pipe = (from: Socket, to: Socket): void => {
    // One that comes when the delay is over does not overtake those that came before it.
    let before: Promise<unknown> = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      const pass = (): void => {
        // One that was swallowed meanwhile is heard no more.
        if (from.listenerCount('data') > 0 && !to.destroyed) to.write(chunk);
      };
      before = Promise.all([before, sleep(proxy.delayMs)]).then(pass);
    });
    from.on('close', () => {
      open.delete(from);
      to.destroy();
    });
    from.on('error', () => undefined);
  };
  const server = createServer((socket) => {
    open.add(socket);
    if (swallowing) {
      socket.on('error', () => undefined);
      socket.pause();
      return;
    }
    const redis = connect(target, '127.0.0.1');
    open.add(redis);
    pipe(socket, redis);
    pipe(redis, socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
};
