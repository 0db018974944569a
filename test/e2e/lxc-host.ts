import { z } from 'zod';
import type { BedHost } from '../bed/host.ts';

const Answers = z.array(z.object({ value: z.unknown(), tookMs: z.number() }));
export type Answer = z.infer<typeof Answers>[number];

const inProject = (script: string): string[] => [
  ...['env', '-C', '/opt/groundswell', 'node', `dist/test/e2e/${script}`],
];

/** The command that makes the calls of lxc.child.ts in a host. */
export const LXC_CHILD = inProject('lxc.child.js');

/** Makes calls of lxc.child.ts in the host, in order; answers what each answered. */
export const callLxc = async (host: BedHost, calls: readonly object[]): Promise<Answer[]> =>
  Answers.parse(JSON.parse(await host.must(LXC_CHILD, { input: JSON.stringify(calls) })));

/** Runs `groundswell container …` in the host. */
export const containerCommand = (host: BedHost, ...args: string[]) =>
  host.run([...inProject('container-command.child.js'), 'container', ...args]);
