import { Option } from 'commander';
import type { Command } from 'commander';
import type { OperatorAction } from '../core/coordinator/operator.ts';
import type { PauseLevel } from '../core/messages.ts';
import { containerCalled } from './container-called.ts';
import { readFuture } from './read-time.ts';
import { actAndTell, remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies, Remote } from './remote.ts';
import { idBeginning, isBeginningOf } from './short-ids.ts';
import type { ContainerLine, StatusView } from './views.ts';
import { waveArgument, waveCalled } from './wave-called.ts';

type Options = { json?: boolean; socket?: string };
type LevelOptions = Options & {
  wave?: string;
  service?: string;
  host?: string;
  queue?: string;
  reason?: string;
};

const levelOf = async (
  remote: Remote,
  { wave, service, host, queue }: LevelOptions,
): Promise<PauseLevel> => {
  if (wave !== undefined) return { level: 'wave', waveId: await waveCalled(remote, wave) };
  if (service !== undefined) return { level: 'service', service };
  if (host !== undefined) return { level: 'host', hostId: host };
  if (queue !== undefined) return { level: 'queue', hostId: queue };
  return { level: 'fleet' };
};

/** Without any of them: the fleet. */
const levelOptions = [
  ['wave', '--wave <id>', 'one wave'],
  ['service', '--service <name>', 'one service'],
  ['host', '--host <id>', 'one host'],
  [
    'queue',
    '--queue <host>',
    "one host's queue: its jobs are held, and the queue itself is paused",
  ],
] as const;

/** Each names all of what is meant, so two at once would be taken for both, or for what they have in common. */
const withLevels = (command: Command): Command => {
  for (const [name, flags, text] of levelOptions)
    command.addOption(
      new Option(flags, text).conflicts(
        levelOptions.map(([other]) => other).filter((other) => other !== name),
      ),
    );
  return withRemoteOptions(command);
};

const containerId = async (remote: Remote, what: string): Promise<string> =>
  containerCalled((await remote.get('/v1/containers')) as ContainerLine[], what).container;

/** A host, a container, or a wave by its id or the beginning of that. */
const retried = async (
  remote: Remote,
  { hosts, waves }: StatusView,
  what: string,
): Promise<Extract<OperatorAction, { action: 'retry' }>['scope']> => {
  if (hosts.some(({ id }) => id === what)) return { of: 'host', hostId: what };
  const containers = (await remote.get('/v1/containers')) as ContainerLine[];
  const isContainer = containers.some(
    ({ container }) => container === what || container.endsWith(`/${what}`),
  );
  if (
    !isContainer &&
    isBeginningOf(
      waves.map(({ id }) => id),
      what,
    )
  )
    return { of: 'wave', waveId: await waveCalled(remote, what) };
  return { of: 'container', container: containerCalled(containers, what).container };
};

/** approve, decline, stop, pause, resume, retry, freeze, unfreeze, allow-outage: what operators decide. */
export const registerDecisions = (program: Command, deps: CliDependencies): void => {
  withRemoteOptions(
    program.command('approve').argument('<wave>', waveArgument).description('let a wave begin'),
  )
    .option(
      '--shown <form>',
      'not where it brings other packages by now, or is for other hosts, than were shown',
    )
    .action(async (wave: string, { shown, ...options }: Options & { shown?: string }) => {
      const remote = remoteFor(deps, options);
      const waveId = await waveCalled(remote, wave);
      await actAndTell(remote, {
        action: 'approve',
        waveId,
        ...(shown === undefined ? {} : { shown }),
      });
    });
  for (const [name, text] of [
    ['decline', 'decide against a wave that waits'],
    ['stop', 'end a wave: what is in flight is finished, nothing else begins'],
  ] as const)
    withRemoteOptions(
      program.command(name).argument('<wave>', waveArgument).description(text),
    ).action(async (wave: string, options: Options) => {
      const remote = remoteFor(deps, options);
      await actAndTell(remote, { action: name, waveId: await waveCalled(remote, wave) });
    });

  withLevels(
    program
      .command('pause')
      .description('begin no restart: of the fleet, or of what an option names'),
  )
    .option('--reason <text>', 'shown wherever the pause is shown', 'no reason given')
    .action(async (options: LevelOptions) => {
      const remote = remoteFor(deps, options);
      const level = await levelOf(remote, options);
      await actAndTell(remote, {
        action: 'pause',
        level,
        reason: options.reason ?? '',
      });
    });
  withLevels(program.command('resume').description('go on where it stood')).action(
    async (options: LevelOptions) => {
      const remote = remoteFor(deps, options);
      await actAndTell(remote, { action: 'resume', level: await levelOf(remote, options) });
    },
  );

  withRemoteOptions(
    program
      .command('retry')
      .argument('<what>', 'a container (host/name, or the name alone), a wave or a host')
      .description('restart again what failed'),
  ).action(async (what: string, options: Options) => {
    const remote = remoteFor(deps, options);
    const status = (await remote.get('/v1/status')) as StatusView;
    await actAndTell(remote, { action: 'retry', scope: await retried(remote, status, what) });
  });

  withRemoteOptions(
    program.command('freeze').argument('<reason>').description('forbid every restart and upgrade'),
  )
    .option(
      '--until <when>',
      'when it ends by itself: a date, or how long from now (30m, 2h, 7d)',
      readFuture,
    )
    .action(async (reason: string, options: Options & { until?: number }) =>
      actAndTell(remoteFor(deps, options), {
        action: 'freeze',
        reason,
        until: options.until ?? null,
      }),
    );
  withRemoteOptions(
    program
      .command('unfreeze')
      .argument('[id]', 'all freezes without it')
      .description('lift a freeze'),
  ).action(async (id: string | undefined, options: Options) => {
    const remote = remoteFor(deps, options);
    const { freezes } = (await remote.get('/v1/status')) as StatusView;
    const all = freezes.map((freeze) => freeze.id);
    const ids = id === undefined ? all : [idBeginning(all, id, 'freeze', 'groundswell status')];
    const answers: { text: string }[] = [];
    for (const each of ids) answers.push(await remote.act({ action: 'unfreeze', id: each }));
    remote.show(answers, () =>
      answers.length === 0 ? 'no freeze is in force' : answers.map(({ text }) => text).join('\n'),
    );
  });
  withRemoteOptions(
    program
      .command('allow-outage')
      .argument('<wave>', waveArgument)
      .argument('<service>')
      .description('let one wave take a service below its floor (audited)'),
  ).action(async (wave: string, service: string, options: Options) => {
    const remote = remoteFor(deps, options);
    const waveId = await waveCalled(remote, wave);
    await actAndTell(remote, { action: 'allow-outage', waveId, service });
  });
  for (const name of ['park', 'unpark'] as const)
    withRemoteOptions(
      program
        .command(name)
        .argument('<container>', 'host/name, or the name alone')
        .description(
          name === 'park'
            ? 'take a deliberately stopped container out of the count'
            : 'count a container again',
        ),
    ).action(async (what: string, options: Options) => {
      const remote = remoteFor(deps, options);
      await actAndTell(remote, { action: name, container: await containerId(remote, what) });
    });
};
