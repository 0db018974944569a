/**
 * Runs, compiled, in a bed host: `node lxc.child.js`. Reads calls as JSON from standard input,
 * makes them one after another on the host's real LXC, and prints what each answered as JSON.
 */
import { execa } from 'execa';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { createAttach } from '../../src/host/health/attach.ts';
import { probeCommand } from '../../src/host/health/probe-command.ts';
import { awaitChild, endChild, findStopsAtWork } from '../../src/host/lxc/child-identity.ts';
import { createLxcRuntime, DEFAULT_LXC_PATH } from '../../src/host/lxc/lxc-runtime.ts';
import { findUnhidden } from '../../src/host/lxc/provision/find-unhidden.ts';
import { hidePrivateDirectories } from '../../src/host/lxc/provision/hide-private.ts';
import { runBounded } from '../../src/host/run-bounded.ts';
import type { ChildIdentity } from '../../src/host/runtime.ts';

const Call = z.discriminatedUnion('call', [
  z.strictObject({ call: z.literal('list') }),
  z.strictObject({ call: z.literal('state'), name: z.string() }),
  z.strictObject({ call: z.literal('address'), name: z.string() }),
  z.strictObject({ call: z.literal('states'), names: z.array(z.string()) }),
  z.strictObject({ call: z.literal('stop'), name: z.string(), timeoutMs: z.int() }),
  z.strictObject({ call: z.literal('start'), name: z.string() }),
  z.strictObject({ call: z.literal('probe'), name: z.string(), command: z.array(z.string()) }),
  z.strictObject({ call: z.literal('hide'), name: z.string() }),
  z.strictObject({ call: z.literal('unhidden') }),
  z.strictObject({ call: z.literal('stops-at-work') }),
  z.strictObject({ call: z.literal('await-stops'), timeoutMs: z.int() }),
  z.strictObject({ call: z.literal('end-stops') }),
  z.strictObject({ call: z.literal('run'), argv: z.array(z.string()) }),
]);
type Call = z.infer<typeof Call>;

const runtime = createLxcRuntime();
/** Data is kept in another place than the usual one. */
const places = { lxcPath: DEFAULT_LXC_PATH, own: ['/srv/groundswell'] };
const attach = createAttach(runBounded, DEFAULT_LXC_PATH);

const answer = async (call: Call): Promise<unknown> => {
  switch (call.call) {
    case 'list':
      return runtime.list();
    case 'state':
      return runtime.state(call.name);
    case 'address':
      return runtime.addressOf(call.name);
    case 'states':
      return Object.fromEntries(await runtime.states(call.names));
    case 'stop': {
      const children: ChildIdentity[] = [];
      const state = await runtime.stop(call.name, {
        timeoutMs: call.timeoutMs,
        onChild: (child) => children.push(child),
      });
      return { ...state, children };
    }
    case 'start':
      return runtime.start(call.name);
    case 'probe':
      return probeCommand(call.command, call.name, { attach, timeoutMs: 5_000 });
    case 'hide': {
      const container = (await runtime.list()).find(({ name }) => name === call.name);
      if (container === undefined) throw new Error(`no container ${call.name}`);
      return hidePrivateDirectories(container, {
        places,
        state: runtime.state,
      });
    }
    case 'unhidden':
      return findUnhidden(await runtime.list(), places);
    case 'stops-at-work':
      return findStopsAtWork();
    case 'await-stops':
      return Promise.all(findStopsAtWork().map((child) => awaitChild(child, call.timeoutMs)));
    case 'end-stops':
      return Promise.all(findStopsAtWork().map((child) => endChild(child)));
    case 'run': {
      const [file = '', ...args] = call.argv;
      const { stdout, exitCode } = await execa(file, args, { stdin: 'ignore', reject: false });
      return { stdout, exitCode };
    }
  }
};

const answers: unknown[] = [];
for (const call of z.array(Call).parse(JSON.parse(await text(process.stdin)))) {
  const from = performance.now();
  const value = await answer(call).catch((error: unknown) => ({ error: String(error) }));
  answers.push({ value: value ?? null, tookMs: performance.now() - from });
}
process.stdout.write(JSON.stringify(answers));
