import { createLxcRuntime } from '../../../../src/host/lxc/lxc-runtime.ts';

/** Stops and starts `web` in the order of its arguments; writes what came of each, a line of JSON each. */
const [lxcPath = '', procRoot = '', ...calls] = process.argv.slice(2);
const runtime = createLxcRuntime({ lxcPath, procRoot });
for (const call of calls)
  try {
    const { state } =
      call === 'stop'
        ? await runtime.stop('web', { timeoutMs: 5_000 })
        : call === 'start'
          ? await runtime.start('web')
          : await runtime.state('web');
    console.log(JSON.stringify(state));
  } catch (error) {
    console.log(JSON.stringify(error instanceof Error ? error.message : String(error)));
  }
