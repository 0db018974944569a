import type { Mutant } from './mutant.ts';

const spool = {
  project: 'integration',
  file: 'test/integration/producers/watch-packages.test.ts',
  test: 'links, foreign, oversized and garbage files are refused',
} as const;
const places = {
  project: 'integration',
  file: 'test/integration/host/lxc/private-places.test.ts',
} as const;
const ownNames = {
  project: 'integration',
  file: 'test/integration/host/lxc/own-names.test.ts',
} as const;
const dpkg = {
  project: 'integration',
  file: 'test/integration/host/apt/dpkg-database.test.ts',
} as const;
const aptPlan = { project: 'unit', file: 'test/host/apt/plan-upgrade.test.ts' } as const;
const removals = {
  project: 'integration',
  file: 'test/integration/host/apt/removals.test.ts',
} as const;
const clock = { project: 'unit', file: 'test/core/health-clock.test.ts' } as const;
const probe = { project: 'integration', file: 'test/integration/health/probe.test.ts' } as const;
const drain = { project: 'integration', file: 'test/integration/drain/drain.test.ts' } as const;
const keyFiles = { project: 'integration', file: 'test/integration/key-files.test.ts' } as const;

/** What others on the host can do to us, and what we do to it. */
export const hostMutants: Mutant[] = [
  {
    rule: 'spool',
    what: 'a link in the spool is followed',
    file: 'src/producers/packages/read-spool.ts',
    from: 'constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK',
    to: 'constants.O_RDONLY | constants.O_NONBLOCK',
    killedBy: spool,
  },
  {
    rule: 'spool',
    what: 'a file in the spool may be anybody’s',
    file: 'src/producers/packages/read-spool.ts',
    from: 'if (stats.uid !== owner) return refuse',
    to: 'if (stats.uid < 0) return refuse',
    killedBy: spool,
  },
  {
    rule: 'spool',
    what: 'a file in the spool may have any size',
    file: 'src/producers/packages/read-spool.ts',
    from: 'if (stats.size > MAX_BYTES)',
    to: 'if (stats.size > Infinity)',
    killedBy: spool,
  },
  {
    rule: 'containers',
    what: 'the names that a container goes by are written through its own link',
    file: 'src/host/lxc/provision/own-names.ts',
    from: "await rm(join(upper, path), { force: true }); await writeFile(join(upper, path), content, { flag: 'wx' });",
    to: 'await writeFile(join(upper, path), content);',
    killedBy: { ...ownNames, test: 'never lead out of the layer' },
  },
  {
    rule: 'containers',
    what: 'Groundswell’s own directories are not hidden from containers',
    file: 'src/host/lxc/provision/private-directories.ts',
    from: "...['/etc/groundswell', '/var/lib/groundswell', '/var/spool/groundswell', ...own].map(",
    to: '...[...own].map(',
    killedBy: { ...places, test: 'the usual ones always' },
  },
  {
    rule: 'containers',
    what: 'of a private directory that is a link only the link is hidden',
    file: 'src/host/lxc/provision/private-directories.ts',
    from: 'for (const resolved of [link, await withoutLinks(path)])',
    to: 'for (const resolved of [link])',
    killedBy: { ...places, test: 'what links lead to as well' },
  },
  {
    rule: 'containers',
    what: 'private directories are hidden in a container that runs',
    file: 'src/host/lxc/provision/hide-private.ts',
    from: "if (now !== 'stopped')",
    to: "if (now === 'gone')",
    killedBy: { ...places, test: 'its upper layer is ours only while it is down' },
  },
  {
    rule: 'I7',
    what: 'packages are at rest whoever holds their lock',
    file: 'src/host/packages/at-rest.ts',
    from: 'if (holder !== undefined) return',
    to: 'if (holder === null) return',
    killedBy: { ...dpkg, test: 'is held, by another process' },
  },
  {
    rule: 'I7',
    what: 'a database that was read once is not read again when it was written',
    file: 'src/host/packages/at-rest.ts',
    from: 'const unchanged = known?.root === root && known.signature === signature;',
    to: 'const unchanged = known?.root === root;',
    killedBy: { ...dpkg, test: 'one that was at rest is looked at again' },
  },
  {
    rule: 'I7',
    what: 'what is written while the database is looked at counts as at rest',
    file: 'src/host/packages/at-rest.ts',
    from: 'if (database.signature(root) !== signature)',
    to: "if (signature === '')",
    killedBy: { project: 'unit', file: 'test/host/packages/at-rest.test.ts' },
  },
  {
    rule: 'I7',
    what: 'a package in a half state is at rest',
    file: 'src/host/apt/at-rest.ts',
    from: "return (state === 'not-installed' || state === 'config-files') && want !== 'install';",
    to: 'return true;',
    killedBy: { ...dpkg, test: 'a package in a half state' },
  },
  {
    rule: 'I7',
    what: 'a dpkg that was interrupted is at rest',
    file: 'src/host/apt/at-rest.ts',
    from: 'if (journalEntries > 0)',
    to: 'if (journalEntries > Infinity)',
    killedBy: { ...dpkg, test: 'a package in a half state, and a journal that is left' },
  },
  {
    rule: 'upgrades',
    what: 'an upgrade that removes packages begins',
    file: 'src/host/apt/upgrade.ts',
    from: 'if (names.length === 0 || allowRemove) return null;',
    to: 'if (names.length >= 0) return null;',
    killedBy: removals,
  },
  {
    rule: 'upgrades',
    what: 'apt is not told that it may remove nothing',
    file: 'src/host/apt/upgrade.ts',
    from: "...(request.allowRemove ? [] : ['--no-remove']),",
    to: '',
    killedBy: removals,
  },
  {
    rule: 'upgrades',
    what: 'a held package is upgraded',
    file: 'src/host/apt/plan-upgrade.ts',
    from: `if (one.want === 'hold')
        return {`,
    to: `if (one.name === '')
        return {`,
    killedBy: { ...aptPlan, test: 'a held package is refused' },
  },
  {
    rule: 'upgrades',
    what: 'a package is brought back to an older version',
    file: 'src/host/apt/plan-upgrade.ts',
    from: "if (order < 0) return { kind: 'failure', reason: aptFailure( 'would-downgrade',",
    to: "if (order < -1) return { kind: 'failure', reason: aptFailure( 'would-downgrade',",
    killedBy: aptPlan,
  },
  {
    rule: 'upgrades',
    what: 'of all updates those of any repository count as security updates',
    file: 'src/host/apt/plan-upgrade.ts',
    from: '({ security, version }) => security && newer(version, one.version),',
    to: '({ version }) => newer(version, one.version),',
    killedBy: { ...aptPlan, test: 'only what a security repository has' },
  },
  {
    rule: 'health',
    what: 'healthy once in a while is healthy for long',
    file: 'src/core/health-clock.ts',
    from: "health === 'healthy' ? (clock.healthySince ?? now) : null;",
    to: "health === 'healthy' ? (clock.healthySince ?? now) : clock.healthySince;",
    killedBy: clock,
  },
  {
    rule: 'health',
    what: 'the first success is enough, whatever minHealthyTime says',
    file: 'src/core/health-clock.ts',
    from: 'if (healthySince !== null && now - healthySince >= minHealthyTimeMs)',
    to: 'if (healthySince !== null)',
    killedBy: { ...probe, test: 'must be healthy for the whole time' },
  },
  {
    rule: 'health',
    what: 'a probe that could not be made is a success',
    file: 'src/core/health-clock.ts',
    from: "const healthySince = health === 'healthy' ?",
    to: "const healthySince = health !== 'unhealthy' ?",
    killedBy: clock,
  },
  {
    rule: 'R28',
    what: 'a server is taken out before what was found is durable',
    file: 'src/host/drain/drain.ts',
    from: 'await memory.keep(text); found = text;',
    to: "if (before.haproxy !== null && before.haproxy !== 'lost') await setMaint(before.haproxy, deps); await memory.keep(text); found = text;",
    killedBy: { ...drain, test: 'is durable before the server is taken out' },
  },
  {
    rule: 'R28',
    what: 'a server that an operator had out of service is put back',
    file: 'src/host/drain/drain.ts',
    from: "else if (haproxy?.state === 'ready')",
    to: 'else if (haproxy !== null)',
    killedBy: { ...drain, test: 'a server that an operator had' },
  },
  {
    rule: 'drain',
    what: 'sessions are not waited for',
    file: 'src/host/drain/drain.ts',
    from: 'await waitForNoSession(before.haproxy, timeoutMs, deps);',
    to: '',
    killedBy: { ...drain, test: 'are waited for' },
  },
  {
    rule: 'drain',
    what: 'a server that is not healthy takes sessions at once',
    file: 'src/host/drain/haproxy-server.ts',
    from: 'if (!healthy) return;',
    to: '',
    killedBy: { project: 'unit', file: 'test/host/drain/haproxy-server.test.ts' },
  },
  {
    rule: 'drain',
    what: 'a name in the configuration begins a command of its own in HAProxy',
    file: 'src/host/drain/haproxy-server.ts',
    from: 'if (!namePattern.test(name))',
    to: "if (name === '')",
    killedBy: { ...drain, test: 'web; quit' },
  },
  {
    rule: 'keys',
    what: 'a key file that others can read is used',
    file: 'src/jobs/key-files.ts',
    from: 'if ((mode & 0o077) !== 0)',
    to: 'if ((mode & 0o1000000) !== 0)',
    killedBy: { ...keyFiles, test: 'when others may read them' },
  },
  {
    rule: 'keys',
    what: 'keys are made readable for all',
    file: 'src/jobs/key-files.ts',
    from: "await open(beside, 'wx', 0o600)",
    to: "await open(beside, 'wx', 0o644)",
    killedBy: { ...keyFiles, test: 'are made on first start, for their owner only' },
  },
  {
    rule: 'keys',
    what: 'a cloned disk goes by the keys of the first',
    file: 'src/jobs/key-files.ts',
    from: 'if (found.machineId !== machineId)',
    to: "if (machineId === '')",
    killedBy: { ...keyFiles, test: 'are refused on another machine' },
  },
];
