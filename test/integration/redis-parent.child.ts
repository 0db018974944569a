// Starts the embedded Redis below argv[2], says its pid, and waits to be killed.
import { startRedisChild } from '../../src/main/redis-child.ts';

const [dataDirectory = ''] = process.argv.slice(2);
const child = await startRedisChild({ dataDirectory, onProblem: () => undefined });
process.stdout.write(`${child.pid() ?? ''}\n`);
setInterval(() => undefined, 1_000);
