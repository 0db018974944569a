// A server over the data directory of argv[2] (JSON: dataDirectory, redis); says when it is up, and ends at SIGTERM.
import process from 'node:process';
import { startServer } from './start-server.ts';
import type { TestServerOptions } from './start-server.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as TestServerOptions;
const ending = new AbortController();
try {
  const { stop } = await startServer({ ...options, level: 'fatal', signal: ending.signal });
  process.stdout.write('up\n');
  process.once('SIGTERM', () => {
    ending.abort();
    void stop().then(() => process.exit(0));
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // It ends by itself, since nothing is left open.
  process.exitCode = 1;
}
