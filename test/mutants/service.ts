import type { Mutant } from './mutant.ts';

const config = { project: 'unit', file: 'test/config/load-config.test.ts' } as const;
const shown = { project: 'unit', file: 'test/config/shown-settings.test.ts' } as const;
const api = { project: 'unit', file: 'test/api/server.test.ts' } as const;
const coordinator = { project: 'unit', file: 'test/workers/control/coordinate.test.ts' } as const;
const gate = { project: 'unit', file: 'test/workers/control/record-gate.test.ts' } as const;
const socket = { project: 'integration', file: 'test/integration/api-socket.test.ts' } as const;
const redis = { project: 'integration', file: 'test/integration/redis-child.test.ts' } as const;
const settings = {
  project: 'integration',
  file: 'test/integration/settings-changed.test.ts',
} as const;
const agent = { project: 'integration', file: 'test/integration/agent/agent.test.ts' } as const;

/** What people tell the program, and who may. */
export const serviceMutants: Mutant[] = [
  {
    rule: 'R18',
    what: 'two services may claim one container',
    file: 'src/config/check-configuration.ts',
    from: 'if (found === null) return [];',
    to: 'if (found !== undefined) return [];',
    killedBy: { ...config, test: 'claims what another has' },
  },
  {
    rule: 'configuration',
    what: 'two services may have one name',
    file: 'src/config/check-configuration.ts',
    from: 'if (before !== undefined) {',
    to: 'if (before === -1) {',
    killedBy: config,
  },
  {
    rule: 'configuration',
    what: 'a deadline may come before the time that has to be healthy',
    file: 'src/config/check-configuration.ts',
    from: 'if (service.minHealthyTimeMs >= service.healthyDeadlineMs)',
    to: 'if (service.minHealthyTimeMs < 0)',
    killedBy: { ...config, test: 'a deadline before its time' },
  },
  {
    rule: 'configuration',
    what: 'a name for HAProxy may hold a command',
    file: 'src/config/check-configuration.ts',
    from: 'if (!haproxyName.test(service.haproxy[key]))',
    to: "if (service.haproxy[key] === '')",
    killedBy: { ...config, test: 'a command in a name' },
  },
  {
    rule: 'configuration',
    what: 'an opt-out that spares nothing is passed over',
    file: 'src/config/check-configuration.ts',
    from: 'service === undefined || isClaimed(service, configuration)',
    to: "service === undefined || service !== ''",
    killedBy: config,
  },
  {
    rule: 'audit',
    what: 'other settings of the server are not recorded',
    file: 'src/core/coordinator/step.ts',
    from: `const changes = before === null ? [] : settingsChanges(before, now);
  if (changes.length > 0)`,
    to: `const changes = before === null ? [] : settingsChanges(before, now);
  if (changes.length < 0)`,
    killedBy: settings,
  },
  {
    rule: 'audit',
    what: 'other settings of an agent are not recorded',
    file: 'src/core/agent/step.ts',
    from: `const changes = before === undefined ? [] : settingsChanges(before, now);
  if (changes.length > 0)`,
    to: `const changes = before === undefined ? [] : settingsChanges(before, now);
  if (changes.length < 0)`,
    killedBy: { ...agent, test: 'with which other settings it was started' },
  },
  {
    rule: 'audit',
    what: 'that a secret changed is not seen',
    file: 'src/core/settings-record.ts',
    from: 'if (before?.seal === after?.seal) return [];',
    to: 'if (textOf(before) === textOf(after)) return [];',
    killedBy: { ...shown, test: 'that one changed is seen' },
  },
  {
    rule: 'R19',
    what: 'an operator is answered before it is committed',
    file: 'src/workers/control/coordinate.ts',
    from: "await withSpan('coordinator.commit',",
    to: "group.forEach(({ resolve }, index) => { resolve(commands[index]?.answer ?? null); }); await withSpan('coordinator.commit',",
    killedBy: { ...coordinator, test: 'no operator is answered, and no job goes' },
  },
  {
    rule: 'R12',
    what: 'jobs go before the records that were committed with them',
    file: 'src/workers/control/coordinate.ts',
    from: 'const records = new Map<string, ControlRecord>();',
    to: 'const records = new Map<string, ControlRecord>(); if (commands.some(({ sends }) => sends.length > 0)) ports.kickRelay();',
    killedBy: { ...coordinator, test: 'no operator is answered, and no job goes' },
  },
  {
    rule: 'R13',
    what: 'a number of a control record is given twice after a commit that failed',
    file: 'src/workers/control/coordinate.ts',
    from: 'host.recordN = given.get(host.id) ?? 0;',
    to: 'host.recordN = 0;',
    killedBy: { ...coordinator, test: 'none is given twice' },
  },
  {
    rule: 'R19',
    what: 'memory goes on as it is where a commit failed',
    file: 'src/workers/control/coordinate.ts',
    from: 'fleet = goOn(await ports.load(), fleet);',
    to: '',
    killedBy: { ...coordinator, test: 'after a commit that failed' },
  },
  {
    rule: 'R12',
    what: 'an earlier record that is out late lets jobs pass',
    file: 'src/workers/control/record-gate.ts',
    from: "if (newest.get(host) !== number.join('.')) return;",
    to: '',
    killedBy: { ...gate, test: 'an earlier record that is out late' },
  },
  {
    rule: 'API',
    what: 'a request may have any size',
    file: 'src/api/server.ts',
    from: 'bodyLimit: 1_048_576',
    to: 'bodyLimit: Number.MAX_SAFE_INTEGER',
    killedBy: { ...api, test: 'longer than a megabyte' },
  },
  {
    rule: 'API',
    what: 'an action without an actor is carried out',
    file: 'src/api/server.ts',
    from: 'const ActionBody = z.strictObject({ actor: ActorText,',
    to: 'const ActionBody = z.strictObject({ actor: z.string(),',
    killedBy: { ...api, test: 'what cannot be understood is refused' },
  },
  {
    rule: 'API',
    what: 'everybody on the machine may use the socket',
    file: 'src/api/server.ts',
    from: 'await chmod(socketPath, 0o660);',
    to: 'await chmod(socketPath, 0o666);',
    killedBy: socket,
  },
  {
    rule: 'API',
    what: 'the socket has the mode that the umask gives it',
    file: 'src/api/server.ts',
    from: 'await chmod(socketPath, 0o660);',
    to: '',
    killedBy: socket,
  },
  {
    rule: 'Redis',
    what: 'a second process begins on the data of the first',
    file: 'src/main/redis-child.ts',
    from: 'if (lock === null) throw new Error( `${directory} is in use',
    to: "if (directory === '') throw new Error( `${directory} is in use",
    killedBy: { ...redis, test: 'a second process on the same directory' },
  },
  {
    rule: 'Redis',
    what: 'everybody on the machine may use Redis',
    file: 'src/main/redis-config.ts',
    from: '`requirepass ${quoted(settings.password)}`,',
    to: '',
    killedBy: { ...redis, test: 'is for its owner only' },
  },
];
