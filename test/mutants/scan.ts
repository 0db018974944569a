import type { Mutant } from './mutant.ts';

const layers = { project: 'unit', file: 'test/host/proc/layers.test.ts' } as const;
const sources = { project: 'unit', file: 'test/host/proc/container-sources.test.ts' } as const;
const programs = { project: 'unit', file: 'test/host/proc/container-programs.test.ts' } as const;
const hostile = { project: 'unit', file: 'test/host/proc/hostile.test.ts' } as const;

/** What a container's root can do to the scan of others. */
export const scanMutants: Mutant[] = [
  {
    rule: 'scan',
    what: 'a directory is opened through a container’s own link',
    file: 'src/host/proc/upper-layer.ts',
    from: `?.isDirectory() === true;
    const location = at ? through(path) : null;
    if (location !== null)
      try {
        opened = openSync(location, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);`,
    to: `!== undefined;
    const location = at ? through(path) : null;
    if (location !== null)
      try {
        opened = openSync(location, O_RDONLY | O_DIRECTORY);`,
    killedBy: { ...layers, test: 'is never followed' },
  },
  {
    rule: 'scan',
    what: 'a directory that becomes a link between two looks is followed',
    file: 'src/host/proc/upper-layer.ts',
    from: 'openSync(location, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)',
    to: 'openSync(location, O_RDONLY | O_DIRECTORY)',
    killedBy: { ...layers, test: 'becomes a link between two looks' },
  },
  {
    rule: 'scan',
    what: 'an upper layer is read however large it is',
    file: 'src/host/proc/upper-layer.ts',
    from: 'if (entriesLeft < 0)',
    to: 'if (entriesLeft < -Infinity)',
    killedBy: { ...layers, test: 'too many entries' },
  },
  {
    rule: 'scan',
    what: 'a container’s package database is read through its own link',
    file: 'src/host/proc/file-content.ts',
    from: '(follow ? 0 : O_NOFOLLOW)',
    to: '(follow ? 0 : 0)',
    killedBy: { ...hostile, test: 'is not followed when it becomes a link' },
  },
  {
    rule: 'scan',
    what: 'a container may take as long as it likes',
    file: 'src/host/proc/effort.ts',
    from: 'if (now() > deadline)',
    to: 'if (now() > Infinity)',
    killedBy: { ...hostile, test: 'is unreadable, and the others are judged' },
  },
  {
    rule: 'scan',
    what: 'a command line in a container that gives no answer counts as one of no program',
    file: 'src/host/proc/container-sources.ts',
    from: "if ('reason' in running) return unknownProgram(running.reason);",
    to: "if ('reason' in running) return [];",
    killedBy: { ...sources, test: 'a command line that gives no answer' },
  },
  {
    rule: 'scan',
    what: 'a program that has taken the place of another one counts as that one',
    file: 'src/host/proc/container-programs.ts',
    from: 'if (words === null || !isStill(asked)) return;',
    to: 'if (words === null) return;',
    killedBy: { ...programs, test: 'became another program while it was read' },
  },
  {
    rule: 'scan',
    what: 'memory maps of a container are read while a child hangs in its memory',
    file: 'src/host/proc/scan-container.ts',
    from: 'if (around.memory.programs.hangs(container.name)) {',
    to: "if (around.memory.programs.hangs('')) {",
    killedBy: { ...sources, test: 'a command line that gives no answer' },
  },
  {
    rule: 'scan',
    what: 'a process of a container that calls itself another one’s monitor is believed',
    file: 'src/core/stale/assign-processes.ts',
    from: "if (monitorOf !== null && cgroup?.role !== 'container')",
    to: 'if (monitorOf !== null)',
    killedBy: {
      ...{ project: 'unit', file: 'test/core/stale/judge.test.ts' },
      test: 'calls itself the monitor of another one',
    },
  },
  {
    rule: 'containers',
    what: 'a process in a container may be the monitor of another one',
    file: 'src/host/proc/host-process.ts',
    from: String.raw`if (/^NSpid:\s*\d+\s+\d/m.test(status)) return false;`,
    to: "if (status === '') return false;",
    killedBy: {
      ...{ project: 'unit', file: 'test/host/lxc/forged-names.test.ts' },
      test: 'make no monitor of another container',
    },
  },
];
