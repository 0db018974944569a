// Takes a job of host argv[4]'s queue, says so, and never ends it. argv[2..3]: socket path, password.
import { createAgentLink } from '../../src/jobs/agent-link.ts';
import { steadyTimes } from '../../src/jobs/steady-worker.ts';

const [path = '', password = '', hostId = ''] = process.argv.slice(2);
createAgentLink({
  address: { kind: 'socket', path, password },
  hostId,
  onJob: () => {
    process.stdout.write('taken\n');
    return new Promise(() => undefined);
  },
  onProblem: () => undefined,
  onDamage: () => undefined,
  nowMs: () => performance.now(),
  times: { ...steadyTimes, lockDurationMs: 1_000, stalledIntervalMs: 500 },
});
