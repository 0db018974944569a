import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { registerConfigCheck } from '../../../src/cli/local/config-check.ts';
import {
  containerChecks,
  devicesWithoutHwaddr,
} from '../../../src/cli/local/doctor-checks/container-checks.ts';
import type { ExaminedContainer } from '../../../src/cli/local/doctor-checks/container-checks.ts';
import { redisCheck } from '../../../src/cli/local/doctor-checks/redis-check.ts';
import type { RedisFacts } from '../../../src/cli/local/doctor-checks/redis-check.ts';
import { systemChecks } from '../../../src/cli/local/doctor-checks/system-checks.ts';
import { examine, fail, ok, registerDoctor, warn } from '../../../src/cli/local/doctor.ts';
import type { DoctorCheck } from '../../../src/cli/local/doctor.ts';
import { faultOfError, faultsOfInfo } from '../../../src/core/redis-fault.ts';
import type { AppArmor } from '../../../src/host/lxc/apparmor.ts';
import { parseConfig } from '../../../src/host/lxc/parse-config.ts';

const command = async (
  register: (program: Command, write: (text: string) => void, exit: (code: number) => void) => void,
  argv: string[],
): Promise<{ output: string; code: number }> => {
  const result = { output: '', code: 0 };
  const program = new Command().exitOverride();
  register(
    program,
    (text) => (result.output += text),
    (code) => (result.code = code),
  );
  await program.parseAsync(argv, { from: 'user' });
  return result;
};

describe('doctor', () => {
  let setUp = true;
  let asked: string | undefined;
  const run = (checks: DoctorCheck[], ...argv: string[]) =>
    command(
      (program, write, setExitCode) => {
        const isSetUp = (): Promise<boolean> => Promise.resolve(setUp);
        registerDoctor(program, {
          examination: (file) => {
            asked = file;
            return Promise.resolve({ checks, isSetUp });
          },
          ...{ write, setExitCode, interactive: false },
        });
      },
      ['doctor', ...argv],
    );
  const check = (name: string, ...findings: Awaited<ReturnType<DoctorCheck['run']>>) => ({
    name,
    run: () => Promise.resolve(findings),
  });

  test('says what to do, and fails only when something fails', async () => {
    const mild = await run([check('root', ok('is root')), check('a', warn('hm', 'do x'))]);
    expect(mild).toEqual({
      code: 0,
      output:
        'ok    root  is root\nwarn  a     hm\n            → do x\n\n1 ok, 1 to look at, 0 to mend\n',
    });
    expect((await run([check('a', fail('bad', 'do y'))])).code).toBe(1);
    expect(asked).toBeUndefined();
    await run([], '-c', '/srv/other.yaml');
    expect(asked).toBe('/srv/other.yaml');
  });

  test('before setup it says so, first and once, and then only what is not of its making', async () => {
    setUp = false;
    const checks: DoctorCheck[] = [
      check('root', ok('is root')),
      { ...check('hooks', fail('a is not there', 'setup'), fail('b', 'setup')), afterSetup: true },
      check('lxc', warn('old', 'upgrade it')),
    ];
    const { output, code } = await run(checks);
    setUp = true;
    expect(code).toBe(1);
    expect(output.split('\n').filter((line) => /^\w/.test(line))).toEqual([
      'fail  setup  Groundswell is not set up on this host',
      'ok    root   is root',
      'warn  lxc    old',
      '1 ok, 1 to look at, 1 to mend',
    ]);
    expect(output).toContain('→ sudo groundswell setup');
  });

  test('a check that throws is a finding, and the others go on', async () => {
    const broken = { name: 'b', run: () => Promise.reject(new Error('EIO')) };
    const { output, code } = await run([broken, check('c', ok('fine'))], '--json');
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      findings: [
        { check: 'b', status: 'fail', message: 'cannot be checked: EIO' },
        { check: 'c', status: 'ok' },
      ],
    });
  });
});

describe('checks of containers', () => {
  const entries = parseConfig('lxc.net.0.type = veth\nlxc.net.0.hwaddr = 02:00:00:00:00:01\n');
  const container = (more: Partial<ExaminedContainer>): ExaminedContainer => ({
    ...{ name: 'web-1', root: { kind: 'host-overlay', lower: '/l', upper: '/u' }, entries },
    ...{ configPath: '/var/lib/lxc/web-1/config', down: false, groups: [] },
    ...more,
  });
  const noServices = { hostId: () => 'h1', services: [] };
  const look = async (
    containers: ExaminedContainer[],
    unhidden: { name: string; paths: string[] }[] = [],
    appArmor: AppArmor = 'off',
  ) => {
    const options = {
      containers: () => Promise.resolve(containers),
      unhidden: () => Promise.resolve(unhidden),
      appArmor: () => Promise.resolve(appArmor),
      ...noServices,
    };
    return (await examine(containerChecks(options))).map(
      ({ check, status, message }) => `${check} ${status}: ${message}`,
    );
  };

  test('all is well', async () => {
    expect((await look([container({})])).map((line) => line.split(':')[0])).toEqual([
      'lower layer ok',
      'hwaddr ok',
      'hidden ok',
      'services ok',
      'apparmor ok',
    ]);
  });

  test.each<[AppArmor, string, string]>([
    ['off', 'lxc.apparmor.profile = generated', 'ok: the kernel does not use AppArmor'],
    ['complete', 'lxc.apparmor.profile = generated', 'ok: LXC can load AppArmor profiles'],
    [
      'without parser',
      'lxc.apparmor.profile = generated',
      'fail: the kernel uses AppArmor, but there is no apparmor_parser: LXC cannot load the profiles that it generates, and does not start web-1',
    ],
    [
      'without parser',
      'lxc.apparmor.profile = unconfined',
      'warn: the kernel uses AppArmor, but there is no apparmor_parser: LXC cannot load profiles, and does not start containers that want one',
    ],
  ])('AppArmor %s, and %s', async (appArmor, config, expected) => {
    const containers = [
      container({ entries: parseConfig(config) }),
      container({
        name: 'foreign',
        entries: parseConfig(config),
        root: { kind: 'other', describe: '' },
      }),
    ];
    expect(await look(containers, [], appArmor)).toContain(`apparmor ${expected}`);
    const checks = containerChecks({
      containers: () => Promise.resolve(containers),
      unhidden: () => Promise.resolve([]),
      appArmor: () => Promise.resolve(appArmor),
      ...noServices,
    });
    const found = (await examine(checks)).find(({ check }) => check === 'apparmor');
    expect(found?.remedy).toBe(appArmor === 'without parser' ? 'apt-get install apparmor' : null);
  });

  test('containers that two services claim are named with both (R18)', async () => {
    const [web, front] = [
      { name: 'web', match: [{ container: 'web-*' }] },
      { name: 'front', match: [{ group: 'front' }] },
    ];
    const findings = await examine(
      containerChecks({
        containers: () =>
          Promise.resolve([
            container({ name: 'web-1', groups: ['front'] }),
            container({ name: 'web-2' }),
            container({ name: 'web-3', groups: ['front'] }),
          ]),
        unhidden: () => Promise.resolve([]),
        appArmor: () => Promise.resolve('off'),
        ...{ hostId: () => 'h1', services: [web, front] },
      }),
    );
    expect(findings.filter(({ check }) => check === 'services')).toEqual([
      {
        ...{ check: 'services', status: 'fail' },
        message: 'web-1, web-3: claimed by the services web and front, and so restarted for none',
        remedy: 'change their `match` so that only one claims a container',
      },
    ]);
  });

  test('what is not is named', async () => {
    const found = await look(
      [
        container({
          name: 'old',
          root: { kind: 'host-overlay-old-keys', lower: '/l', upper: '/u' },
        }),
        container({ name: 'random', entries: parseConfig('lxc.net.0.type = veth') }),
        container({
          name: 'lost',
          root: {
            kind: 'other',
            describe: 'overlay over /l, a directory of its own (nothing is mounted there)',
          },
        }),
        container({ name: 'own', root: { kind: 'other', describe: 'dir:/srv/own' }, entries: [] }),
      ],
      [{ name: 'old', paths: ['/root'] }],
    );
    expect(found).toEqual([
      'lower layer ok: 2 containers are on the host’s root',
      'lower layer warn: left alone: lost (overlay over /l, a directory of its own (nothing is mounted there))',
      'lower layer warn: old: keys of LXC before 3 (lxc.rootfs, lxc.network): left alone, and today’s LXC does not start it',
      expect.stringMatching(/^hwaddr warn: random: a new hardware address/),
      'hidden fail: old can read /root of the host',
      'services ok: no container is claimed by several services',
      'apparmor ok: the kernel does not use AppArmor',
    ]);
  });

  test('what can read private directories is told how to be shut out, by its state and form', async () => {
    const old: ExaminedContainer['root'] = {
      ...{ kind: 'host-overlay-old-keys', lower: '/l', upper: '/u' },
    };
    const options = {
      containers: () =>
        Promise.resolve([
          container({ name: 'up' }),
          container({ name: 'old', root: old }),
          container({ name: 'down', down: true }),
          container({ name: 'old-down', root: old, down: true }),
        ]),
      unhidden: () =>
        Promise.resolve(
          ['up', 'old', 'down', 'old-down'].map((name) => ({ name, paths: ['/root'] })),
        ),
      appArmor: () => Promise.resolve('off' as const),
      ...noServices,
    };
    const findings = await examine(containerChecks(options));
    expect(
      findings
        .filter(({ check }) => check === 'hidden')
        .map(({ message, remedy }) => [message.split(' can')[0], remedy]),
    ).toEqual([
      ['up', expect.stringMatching(/groundswell restart CONTAINER$/)],
      ['old', expect.stringMatching(/^nothing restarts it in the old form: rewrite/)],
      ['down, old-down', 'groundswell container hide CONTAINER'],
    ]);
  });

  test.each([
    ['lxc.net.0.type = veth', ['0']],
    ['lxc.net.0.type = veth\nlxc.net.0.hwaddr = 02:xx:xx:xx:xx:xx', ['0']],
    ['lxc.net.1.hwaddr = 02:00:00:00:00:01\nlxc.net.1.type = veth', []],
    ['lxc.net.0.type = none', []],
    ['', []],
  ])('hardware addresses of %j', (text, devices) => {
    expect(devicesWithoutHwaddr(parseConfig(text))).toEqual(devices);
  });
});

describe('check of Redis', () => {
  const facts = {
    where: 'unix:///s',
    version: '7.0.15',
    faults: [],
    appendOnly: true,
  };
  const look = async (ask: () => Promise<RedisFacts>) =>
    (await redisCheck(ask).run()).map(({ status }) => status);
  test.each<[Partial<RedisFacts>, string[]]>([
    [{}, ['ok']],
    [{ appendOnly: null }, ['ok']],
    [{ faults: [faultOfError('READONLY')] }, ['ok', 'fail']],
    [{ faults: faultsOfInfo('maxmemory_policy:allkeys-lru') }, ['ok', 'fail']],
    [{ faults: faultsOfInfo('used_memory:9\nmaxmemory:10') }, ['ok', 'warn']],
    [{ appendOnly: false }, ['ok', 'warn']],
  ])('%j: %j', async (more, statuses) => {
    expect(await look(() => Promise.resolve({ ...facts, ...more }))).toEqual(statuses);
  });
  test('one that does not answer', async () => {
    expect(await look(() => Promise.reject(new Error('refused')))).toEqual(['fail']);
    const wrong = () => Promise.reject(new Error('WRONGPASS invalid username-password pair'));
    expect(await redisCheck(wrong).run()).toMatchObject([
      { message: expect.stringMatching(/refuses the user or the password/) },
    ]);
  });
});

describe('checks of the system', () => {
  const look = async (answers: Record<string, [number | null, string]>, procRoot: string) => {
    const checks = systemChecks({
      isRoot: false,
      procRoot,
      run: ([program = '']) => {
        const [exitCode, output] = answers[program] ?? [0, '5.0.2\n'];
        return Promise.resolve({ ended: 'exited', exitCode, output, problem: '' });
      },
    });
    return (await examine(checks)).map(({ status, message }) => `${status}: ${message}`);
  };
  test('are asked of the tools themselves', async () => {
    expect(await look({ 'lxc-stop': [null, ''], modprobe: [1, ''] }, '/nowhere')).toEqual([
      'fail: not running as root: other checks see only part',
      'fail: lxc-stop cannot be run',
      expect.stringMatching(/^fail: cannot be checked: ENOENT/),
    ]);
    expect((await look({}, '/proc')).slice(1)).toEqual([
      'ok: LXC 5.0.2',
      expect.stringMatching(/^ok: the kernel has OverlayFS/),
    ]);
  });
});

describe('config check', () => {
  const check = (...argv: string[]) =>
    command(
      (program, write, setExitCode) => {
        registerConfigCheck(program, { environment: {}, write, setExitCode });
      },
      ['config', 'check', ...argv],
    );
  test('says where and what, or that all is well', async () => {
    expect(await check('--config', 'packaging/config.yaml')).toEqual({
      code: 0,
      output: expect.stringMatching(/^ok: .*packaging\/config.yaml \(no services\)\n$/),
    });
    const missing = await check('-c', '/no/such.yaml');
    expect(missing).toEqual({ code: 1, output: '/no/such.yaml: there is no such file\n' });
    // As it was called once.
    expect(JSON.parse((await check('-f', '/no/such.yaml', '--json')).output)).toMatchObject({
      ok: false,
      problems: [{ file: '/no/such.yaml' }],
    });
  });
});
