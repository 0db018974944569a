import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fc, test as prop } from '@fast-check/jest';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fleetSettingsOf, minuteOfDay } from '../../src/config/fleet-settings.ts';
import { hostIdOf } from '../../src/config/host-id.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { nearestKey } from '../../src/config/nearest-key.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Configuration } from '../../src/config/schema.ts';
import {
  defaultHostSettings,
  hostSettingsOf,
  optOutsOf,
  settingsHash,
  settingsHashes,
} from '../../src/config/services.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gw-config-'));
  await mkdir(join(directory, 'config.d'));
});
afterEach(() => rm(directory, { recursive: true }));

const write = (files: Record<string, string>): Promise<unknown> =>
  Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text)));

const load = async (files: Record<string, string>, environment: Record<string, string> = {}) => {
  await write(files);
  return loadConfig({ file: join(directory, 'config.yaml'), environment });
};
const good = async (
  files: Record<string, string>,
  environment: Record<string, string> = {},
): Promise<Configuration> => {
  const loaded = await load(files, environment);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
};
/** The problems of a main file, without its directory. */
const problems = async (text: string, more: Record<string, string> = {}, environment = {}) => {
  const loaded = await load({ 'config.yaml': text, ...more }, environment);
  return loaded.ok
    ? []
    : loaded.problems.map((problem) => formatProblem(problem).replaceAll(`${directory}/`, ''));
};

describe('problems name the place and what is allowed', () => {
  test.each([
    [
      'a word that is nearly known',
      'serber:\n  socket: /x\n',
      'config.yaml:1:1: serber: is not known; did you mean server? Allowed: dataDirectory, redis, log, server, agent, services, platforms, feeds, fetch, disruptivePackages, optOut, maintenanceWindow, waves',
    ],
    [
      'one that is not',
      'log:\n  frob: 1\n',
      'config.yaml:2:3: log.frob: is not known. Allowed: level',
    ],
    [
      'other spelling',
      'agent:\n  host-id: a\n',
      'config.yaml:2:3: agent.host-id: is not known; did you mean hostId? Allowed: hostId, zone, lxcPath, hostCap, spoolDirectory, healthIntervalMs, packageCheckSeconds, observeSeconds, refreshSeconds',
    ],
    [
      'a wrong type',
      'waves: {maxFailures: many}',
      'config.yaml:1:22: waves.maxFailures: "many": want a number',
    ],
    ['a list for a mapping', 'waves: [1]', 'config.yaml:1:8: waves: want a mapping'],
    ['too small', 'agent: {hostCap: 0}', 'config.yaml:1:18: agent.hostCap: 0: want at least 1'],
    [
      'a directory that containers need, which would be hidden in them',
      'dataDirectory: /srv/../var/lib/',
      'config.yaml:1:16: dataDirectory: "/srv/../var/lib/": want a directory of its own, such as /srv/groundswell: all of it is hidden in every container',
    ],
    [
      'the same for the spool',
      'agent: {spoolDirectory: /}',
      'config.yaml:1:25: agent.spoolDirectory: "/": want a directory of its own, such as /srv/groundswell: all of it is hidden in every container',
    ],
    [
      'a limit below the time between two words of an idle host (R12)',
      'waves: {staleLimitSeconds: 74}',
      'config.yaml:1:28: waves.staleLimitSeconds: 74: want at least 75: idle hosts are heard once a minute, and would be taken for silent in between',
    ],
    [
      'a broken number',
      'agent: {hostCap: 1.5}',
      'config.yaml:1:18: agent.hostCap: 1.5: want a whole number',
    ],
    [
      'one word of several',
      'log: {level: loud}',
      'config.yaml:1:14: log.level: "loud": want debug or info or warn or error',
    ],
    [
      'a missing option',
      'services:\n  - mode: auto\n',
      'config.yaml:2:5: services[0].name: is missing; want text',
    ],
    [
      'both budgets',
      'services: [{name: a, budget: {maxUnavailable: 1, minAvailable: 1}}]',
      'config.yaml:1:30: services[0].budget: want exactly one of maxUnavailable, minAvailable',
    ],
    [
      'a budget beyond all',
      'services: [{name: a, budget: {minAvailable: 101%}}]',
      'config.yaml:1:45: services[0].budget.minAvailable: "101%": want a count or a percentage such as 25%',
    ],
    [
      'a negative budget',
      'services: [{name: a, budget: {minAvailable: -1}}]',
      'config.yaml:1:45: services[0].budget.minAvailable: -1: want at least 0',
    ],
    [
      'an unknown check',
      'services: [{name: a, health: {kind: ping}}]',
      'config.yaml:1:37: services[0].health.kind: "ping" is not known; want http, tcp, command, running',
    ],
    [
      'an option of another check',
      'services: [{name: a, health: {kind: tcp, port: 1, path: /}}]',
      'config.yaml:1:51: services[0].health.path: is not known. Allowed: kind, port',
    ],
    [
      'a bad match',
      'services: [{name: a, match: [{hots: x}]}]',
      'config.yaml:1:31: services[0].match[0].hots: is not known; did you mean host? Allowed: host, container, group',
    ],
    [
      'a match of nothing',
      'services: [{name: a, match: [{}]}]',
      'config.yaml:1:30: services[0].match[0]: name a host, a container or a group (`container: "*"` for all)',
    ],
    [
      'a list of no matches',
      'services: [{name: web, match: []}]',
      'config.yaml:1:31: services[0].match: service web claims no container: say which are its own, such as `match: [{group: web}]` (lxc.group) or `match: [{container: "web-*"}]`',
    ],
    [
      'two services that claim the same, once',
      'services:\n  - {name: a, match: [{group: a}]}\n  - {name: b, match: [{group: b}, {group: a}]}\n',
      'config.yaml:3:35: services[1].match[1]: what service b claims by this is claimed by service a, too (config.yaml:2): a container belongs to one service alone',
    ],
    [
      'a service that claims what another has, among more',
      'services:\n  - {name: a, match: [{host: h1}]}\n  - {name: b, match: [{host: h1, group: b}]}\n',
      'config.yaml:3:23: services[1].match[0]: what service b claims by this is claimed by service a, too (config.yaml:2): a container belongs to one service alone',
    ],
    [
      'an opt-out of a service that is not there',
      'services: [{name: web, match: [{group: web}]}]\noptOut: [{service: wbe, reason: sale}]\n',
      'config.yaml:2:20: optOut[0].service: there is no service wbe, so nothing is spared by this. There are: web, <host>/unassigned',
    ],
    [
      'a pattern for a group',
      'services: [{name: web, match: [{group: "*"}]}]',
      'config.yaml:1:40: services[0].match[0].group: "*": a group is named as a whole, as lxc.group has it; * and ? stand for something in host and container only',
    ],
    [
      'a relative socket of HAProxy',
      'services: [{name: a, match: [{group: a}], haproxy: {socket: run/haproxy.sock, backend: web}}]',
      'config.yaml:1:61: services[0].haproxy.socket: "run/haproxy.sock": want the absolute path of a socket such as /run/haproxy/admin.sock, or host:port',
    ],
    [
      'one server of HAProxy for several containers',
      'services: [{name: a, match: [{group: a}], haproxy: {socket: /s, backend: web, server: s}}]',
      'config.yaml:1:87: services[0].haproxy.server: "s" is one server of HAProxy for each container of service a: draining one takes the others out. Put {name} into it, or let `match` name one container',
    ],
    [
      'the same for two that are named',
      'services: [{name: a, match: [{host: "*", container: w-1}, {host: h2, container: w-2}], haproxy: {socket: /s, backend: web, server: s}}]',
      'config.yaml:1:132: services[0].haproxy.server: "s" is one server of HAProxy for each container of service a: draining one takes the others out. Put {name} into it, or let `match` name one container',
    ],
    [
      'a pattern that no container can have',
      'services: [{name: a, match: [{container: "web-[0-9]"}]}]',
      'config.yaml:1:42: services[0].match[0].container: "web-[0-9]": want a name; * stands for any characters, ? for one',
    ],
    [
      'a pattern that no host can have',
      'services: [{name: a, match: [{host: "[", group: a}]}]',
      'config.yaml:1:37: services[0].match[0].host: "[": want a name; * stands for any characters, ? for one',
    ],
    [
      'a container with its host, which is an option of its own',
      'services: [{name: a, match: [{container: "h1/web-*"}]}]',
      'config.yaml:1:42: services[0].match[0].container: "h1/web-*": want a name; * stands for any characters, ? for one',
    ],
    [
      'a service without a match',
      'services: [{name: web, mode: auto}]',
      'config.yaml:1:12: services[0]: service web claims no container: say which are its own, such as `match: [{group: web}]` (lxc.group) or `match: [{container: "web-*"}]`',
    ],
    [
      'no name of a service',
      'services: [{name: Web_1}]',
      'config.yaml:1:19: services[0].name: "Web_1": want a service name such as web or shop/api (a-z, 0-9, dot, slash, dash; at most 127)',
    ],
    [
      'a misspelt placeholder in a command',
      'services: [{name: a, match: [{group: a}], beforeStop: [/bin/pool, "leave={nme}"]}]',
      "config.yaml:1:67: services[0].beforeStop[1]: {nme} is not known; did you mean {name}? {name} and {address} stand for the container's",
    ],
    [
      'an unknown placeholder in a name for HAProxy',
      'services: [{name: a, match: [{group: a}], haproxy: {socket: /s, backend: web, server: "{host}-{name}"}}]',
      "config.yaml:1:87: services[0].haproxy.server: {host} is not known: {name} and {address} stand for the container's",
    ],
    [
      'a placeholder where nothing is replaced',
      'services: [{name: a, match: [{group: a}], health: {kind: command, command: [ping, "{address}"]}}]',
      'config.yaml:1:83: services[0].health.command[1]: {address} is not replaced here: the command runs inside the container',
    ],
    [
      'a service twice',
      'services:\n - {match: [{group: a}], name: a}\n - {match: [{group: b}], name: a}\n',
      'config.yaml:3:32: services[1].name: service a is there already (config.yaml:2)',
    ],
    [
      'a reserved name',
      'services: [{name: h1/unassigned, match: [{group: a}]}]',
      'config.yaml:1:19: services[0].name: <host>/unassigned is the service of containers that no other claims; choose another name',
    ],
    [
      'a deadline before its time',
      'services: [{name: a, minHealthyTimeMs: 120000, match: [{group: a}]}]',
      'config.yaml:1:40: services[0].minHealthyTimeMs: healthyDeadlineMs (120000) must be more than minHealthyTimeMs (120000), or no restart can end well',
    ],
    [
      'a command in a name',
      'services: [{name: a, haproxy: {socket: /s, backend: "a; b"}, match: [{group: a}]}]',
      'config.yaml:1:53: services[0].haproxy.backend: "a; b" is no name for HAProxy: want letters, digits, _ . : - and {name}',
    ],
    [
      'a number for a time',
      'maintenanceWindow: {from: 2:00, to: "04:00"}',
      'config.yaml:1:27: maintenanceWindow.from: "2:00": want a time of day in quotes, such as "02:00"',
    ],
    [
      'no such zone',
      'maintenanceWindow: {from: "02:00", to: "04:00", timezone: Mars}',
      'config.yaml:1:59: maintenanceWindow.timezone: "Mars": want a time zone such as Europe/Berlin or UTC',
    ],
    [
      'an opt-out of nothing',
      'optOut: [{reason: x}]',
      'config.yaml:1:10: optOut[0]: name a host, a container or a service (or several, then all must match)',
    ],
    [
      'no such day',
      'optOut: [{host: a, reason: x, until: 2027-02-31x}]',
      'config.yaml:1:38: optOut[0].until: "2027-02-31x": want a date such as 2027-01-31, or a moment such as 2027-01-31T06:00:00+01:00',
    ],
    [
      'a platform',
      'platforms: {Debian: {mode: auto}}',
      'config.yaml:1:13: platforms.Debian: want a platform such as debian-12',
    ],
    ['no mapping at all', '- a\n', 'config.yaml:1:1: want `option: value` lines'],
    [
      'two documents',
      'log: {}\n---\nwaves: {}\n',
      'config.yaml:2:1: a second YAML document begins here: want one a file; more may stand in files of config.d',
    ],
    ['a key twice', 'log: {}\nlog: {}\n', 'config.yaml:2:1: not YAML: Map keys must be unique'],
    [
      'not YAML',
      'log:\n\tlevel: info\n',
      'config.yaml:2:1: not YAML: Tabs are not allowed as indentation',
    ],
    [
      'an alias of itself',
      'log: &a\n  level: *a\n',
      'config.yaml:2:10: *a stands for itself, or for nothing',
    ],
    [
      'a day that no month has',
      'optOut: [{host: a, reason: x, until: 2027-02-31}]',
      'config.yaml:1:38: optOut[0].until: "2027-02-31": there is no such date',
    ],
  ])('%s', async (_, text, problem) => {
    expect(await problems(text)).toEqual([problem]);
  });

  test('what containers must not see: data, spool, and every file of the configuration', async () => {
    const loaded = await load({
      'config.yaml': 'dataDirectory: /data/gs/\nagent: {spoolDirectory: /data/../spool}\n',
      'config.d/10.yaml': 'log: {level: warn}\n',
    });
    expect(loaded.ok && new Set(loaded.privatePaths)).toEqual(
      new Set([
        ...['/data/gs', '/spool'],
        ...['config.yaml', 'config.d', 'config.d/10.yaml'].map((path) => join(directory, path)),
      ]),
    );
    const without = await loadConfig({ environment: { GROUNDSWELL_CONFIG: 'some.yaml' } });
    expect(without.ok).toBe(false);
  });

  test('all at once, in order', async () => {
    const found = await problems('waves: {maxFailures: x}\nlog: {level: y}\nagent: {zone: ""}\n');
    expect(found.map((line) => line.split(':')[1])).toEqual(['1', '2', '3']);
  });

  test.each([
    ['feeds: [{source: osv}]', 'say for which `platform` it is, or give it a `url` or a `path`'],
    [
      'feeds: [{source: apt-security, path: /srv, mirrors: [http://a.example.org/]}]',
      'feeds[0].mirrors: is for apt-security whose archives hosts name',
    ],
    [
      'feeds: [{source: kev}, {name: kev, source: osv, path: /srv}]',
      'feed kev is there already: give it a name',
    ],
  ])('a feed that comes from nowhere, or twice: %s', async (text, message) => {
    expect(await problems(text)).toEqual([expect.stringContaining(message)]);
  });

  test('a mirror that hosts may name has to be an address', async () => {
    expect(await problems('feeds: [{source: apt-security, mirrors: [mirror]}]')).toEqual([
      expect.stringContaining('want an http or https address'),
    ]);
  });

  test('a short file of nested aliases does not become a huge one', async () => {
    const lines = ['a: &x0 [1,1,1,1,1,1,1,1,1,1]'];
    for (let i = 1; i < 9; i++)
      lines.push(`b${i}: &x${i} [${Array.from({ length: 10 }, () => `*x${i - 1}`).join(',')}]`);
    expect((await problems(lines.join('\n')))[0]).toMatch(/too many values|Excessive alias/);
  });

  test('in a drop-in', async () => {
    expect(await problems('', { 'config.d/10-a.yaml': '\nlog: {level: x}' })).toEqual([
      expect.stringMatching(/^config.d\/10-a.yaml:2:14: log.level/),
    ]);
  });

  test('in the addresses of Sentinels, which need the name of their master', async () => {
    const sentinels = 'sentinels: ["redis://10.0.0.5:26379"]';
    expect(await problems(`redis: { url: "redis://:p@mymaster", ${sentinels} }`)).toEqual([]);
    const needsName = [expect.stringMatching(/redis\.sentinels: needs `redis\.url` with the name/)];
    expect(await problems(`redis: { ${sentinels} }`)).toEqual(needsName);
    expect(await problems(`redis: { url: "unix:///s", ${sentinels} }`)).toEqual(needsName);
    expect(await problems('redis: { url: "redis://m", sentinels: ["10.0.0.5:26379"] }')).toEqual([
      expect.stringMatching(/redis\.sentinels\[0\]: .*want redis:\/\/host:port/),
    ]);
  });

  test('in the environment', async () => {
    expect(await problems('', {}, { REDIS_URL: 'http://x' })).toEqual([
      'environment variable REDIS_URL: redis.url: "http://x": want redis://…, rediss://… or unix://…',
    ]);
  });

  test('a file that was named must be there; the usual one need not', async () => {
    const loaded = await loadConfig({ file: '/no/such.yaml', environment: {} });
    expect(loaded).toMatchObject({
      ok: false,
      problems: [{ file: '/no/such.yaml', message: 'there is no such file' }],
    });
    const byVariable = await loadConfig({ environment: { GROUNDSWELL_CONFIG: '/no/such.yaml' } });
    expect(byVariable.ok).toBe(false);
  });
});

test.each([
  'match: [{container: web}], haproxy: {socket: /s, backend: web, server: s}',
  'match: [{host: h1, container: w-1}, {host: h2, container: w-2}], haproxy: {socket: /s, backend: web, server: s}',
  'match: [{group: a}], haproxy: {socket: /s, backend: "be-{name}", server: s}',
  'match: [{group: a}], haproxy: {socket: /s, backend: web, server: "s-{address}"}',
])('a server of HAProxy for one container alone: %s', async (service) => {
  expect(await problems(`services: [{name: a, ${service}}]`)).toEqual([]);
});

test('braces of other languages in commands are their own', async () => {
  const argv = `[sh, -c, 'awk "{print \\$1}" x; echo \${NAME} \${name} {a,b} {print}', "{name}", "{address}"]`;
  const config = await good({
    'config.yaml': `services: [{name: a, match: [{group: a}], beforeStop: ${argv}}]`,
  });
  expect(config.services[0]?.beforeStop).toHaveLength(5);
});

describe('merging', () => {
  const files = {
    'config.yaml': `
server: {socket: /a, notify: {webhook: "https://a"}}
agent: {zone: z1}
services:
  - {name: web, mode: auto, budget: {maxUnavailable: 2}, health: {kind: http, port: 80, path: /up}, match: [{host: a}]}
  - {name: db, match: [{group: db}]}
optOut: [{host: a, reason: main}]
disruptivePackages: [libc6]
`,
    'config.d/20-b.yaml': `
agent: {zone: z3}
services: [{name: cache, match: [{group: cache}]}]
`,
    'config.d/10-a.yml': `
agent: {zone: z2, hostCap: 5}
server:
services:
  - {name: web, budget: {minAvailable: 1}, health: {kind: tcp, port: 81}, match: [{host: b}]}
optOut: [{host: b, reason: drop-in}]
disruptivePackages: [lxc]
`,
    'config.d/ignored.yaml.bak': 'nonsense: 1',
    'config.d/.hidden.yaml': 'nonsense: 1',
  };

  test('drop-ins in the order of their names, services by name', async () => {
    const config = await good(files);
    expect(config.server).toMatchObject({ socket: '/a', notify: { webhook: 'https://a' } });
    expect(config.agent).toMatchObject({ zone: 'z3', hostCap: 5 });
    expect(config.services.map(({ name }) => name)).toEqual(['web', 'db', 'cache']);
    expect(config.services[0]).toMatchObject({
      mode: 'auto',
      budget: { minAvailable: 1 },
      health: { kind: 'tcp', port: 81 },
      match: [{ host: 'b' }],
    });
    expect(config.optOut.map(({ reason }) => reason)).toEqual(['main', 'drop-in']);
    expect(config.disruptivePackages).toEqual(['lxc']);
  });

  test('the environment wins; an empty variable says nothing', async () => {
    const config = await good(files, {
      REDIS_URL: 'redis://r:1',
      GROUNDSWELL_DATA: '/d',
      GROUNDSWELL_HOST_ID: 'h1',
      GROUNDSWELL_SOCKET: '',
    });
    expect([
      config.redis.url,
      config.dataDirectory,
      config.agent.hostId,
      config.server.socket,
    ]).toEqual(['redis://r:1', '/d', 'h1', '/a']);
  });
});

describe('settings of hosts', () => {
  test('the hash changes with what the host does, and with nothing else', async () => {
    const one = await good({
      'config.yaml': 'services: [{name: web, health: {kind: tcp, port: 80}, match: [{host: b}]}]',
    });
    const server = await good({
      'config.yaml':
        'services: [{mode: auto, match: [{host: a}], health: {port: 80, kind: tcp}, name: web, probeIntervalMs: 250}]',
    });
    const host = await good({
      'config.yaml': 'services: [{name: web, health: {kind: tcp, port: 81}, match: [{host: b}]}]',
    });
    expect(settingsHashes(server)).toEqual(settingsHashes(one));
    expect(settingsHashes(host)['web']).not.toEqual(settingsHashes(one)['web']);
    expect(settingsHashes(one)['*']).toBe(settingsHash(defaultHostSettings));
    expect(hostSettingsOf(one, 'h1/unassigned')).toEqual(defaultHostSettings);
    expect(settingsHash(defaultHostSettings)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('the host id is the configured one, else the name', async () => {
    const config = await good({ 'config.yaml': '' });
    expect(hostIdOf(config, 'Web-1.example.org')).toBe('web-1.example.org');
    expect(() => hostIdOf(config, 'a_b')).toThrow(/"a_b" is no host id .* set agent.hostId/);
    expect(hostIdOf(await good({ 'config.yaml': 'agent: {hostId: x}' }), 'a_b')).toBe('x');
  });

  test('opt-outs end at a moment', async () => {
    const config = await good({
      'config.yaml':
        'optOut: [{host: a, reason: r, until: 2027-01-31}, {host: a, reason: r, until: "2027-01-31T01:00:00+01:00"}, {host: a, reason: r}]',
    });
    const moment = Date.UTC(2027, 0, 31);
    expect(optOutsOf(config).map(({ until }) => until)).toEqual([moment, moment, null]);
  });
});

describe('settings of the fleet', () => {
  test('in the coordinator’s units', async () => {
    const config = await good({
      'config.yaml':
        'maintenanceWindow: {from: "22:30", to: "04:00", timezone: Europe/Berlin}\nwaves: {beginBeforeSeconds: 5, zoneCap: 3}\nplatforms: {debian-12: {mode: observe}}',
    });
    expect(fleetSettingsOf(config, {})).toMatchObject({
      window: { fromMinute: 1_350, toMinute: 240, timezone: 'Europe/Berlin' },
      beginBeforeMs: 5_000,
      zoneCap: 3,
      fleetCap: null,
      platformModes: { 'debian-12': 'observe' },
    });
    expect(fleetSettingsOf(config, {}).disruptivePackages).toContain('libc6');
  });

  test('core packages are the configuration’s, else those of the manifest', async () => {
    const config = await good({
      'config.yaml':
        'platforms: {debian-12: {}, debian-13: {corePackages: [bash]}, ubuntu-24.04: {}}',
    });
    const manifests = { 'debian-12': ['libc6'], 'debian-13': ['libc6'], 'debian-11': ['libc6'] };
    expect(fleetSettingsOf(config, manifests).corePackages).toEqual({
      'debian-12': new Set(['libc6']),
      'debian-13': new Set(['bash']),
      'ubuntu-24.04': new Set(),
    });
  });

  test.each([
    ['UTC', '2027-07-01T00:00:00Z', 0],
    ['Europe/Berlin', '2027-07-01T00:00:00Z', 120],
    ['Europe/Berlin', '2027-01-01T22:59:00Z', 1_439],
    ['Asia/Kathmandu', '2027-01-01T00:00:00Z', 345],
  ])('minute of the day in %s at %s', (timezone, moment, minute) => {
    const window = { from: '02:00', to: '04:00', timezone };
    expect(minuteOfDay(Date.parse(moment), { maintenanceWindow: window })).toBe(minute);
  });
});

describe('nearest key', () => {
  const known = ['maxUnavailable', 'minAvailable', 'host', 'healthyDeadlineMs'];
  test.each([
    ['max_unavailable', 'maxUnavailable'],
    ['MAXUNAVAILABLE', 'maxUnavailable'],
    ['maxUnvailable', 'maxUnavailable'],
    ['hsot', 'host'],
    ['healthyDeadline', 'healthyDeadlineMs'],
    ['colour', null],
    ['', null],
  ])('%j: %j', (key, near) => {
    expect(nearestKey(key, known)).toBe(near);
  });

  prop.prop([fc.constantFrom(...known), fc.nat(), fc.string({ maxLength: 1 })])(
    'finds a key with one letter changed',
    (key, at, letter) => {
      const index = at % key.length;
      expect(nearestKey(key.slice(0, index) + letter + key.slice(index + 1), known)).toBe(key);
    },
  );
});
