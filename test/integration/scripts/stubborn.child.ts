/** A part that hears signals, and ends by them, and whose own process hears none: tells that one's pid. */
import { spawn } from 'node:child_process';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    console.log('heard');
    process.exit(0);
  });
spawn('sh', ['-c', "trap '' INT TERM HUP; echo pid $$; exec sleep 1000"], { stdio: 'inherit' });
