import type { Command } from 'commander';
import { pauseSubject } from '../core/coordinator/pause-subject.ts';
import { describeOptOut } from '../core/opt-out.ts';
import { countOf, formatDuration, formatTable, tint } from './print.ts';
import { staleProcessLines, staleProcessNote } from './stale-processes.ts';
import { dateText, isOver } from './wave-text.ts';
import { remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies } from './remote.ts';
import type { ContainerLine, HostView, ServiceSummary, StatusView, WaveSummary } from './views.ts';

export const servicesTable = (services: ServiceSummary[]): string =>
  formatTable(
    ['service', 'available', 'floor', 'stale', 'shadowed', 'mode', 'unavailable'],
    services.map(({ name, available, members, floor, stale, shadowed, mode, unavailable }) => [
      name,
      `${available}/${members}`,
      String(floor),
      stale === 0 ? '0' : tint(`stale ${stale}`).replace('stale ', ''),
      String(shadowed),
      mode,
      unavailable
        .slice(0, 2)
        .map(({ container, why }) => `${container}: ${why}`)
        .join('; ') + (unavailable.length > 2 ? `; and ${unavailable.length - 2} more` : ''),
    ]),
  );

/** How long ago it was opened, and how long it took from its first restart or upgrade on. */
const timesOf = (
  { createdAt, startedAt, endedAt }: Pick<WaveSummary, 'createdAt' | 'startedAt' | 'endedAt'>,
  now: number,
): [string, string] => [
  createdAt === null ? '' : formatDuration(now - Date.parse(createdAt)),
  startedAt === null
    ? ''
    : formatDuration((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt)),
];

export const wavesTable = (waves: WaveSummary[], now = Date.now()): string =>
  formatTable(
    ['wave', 'state', 'verified', 'failed', 'age', 'took', 'cause', 'notes'],
    waves.map(({ id, state, counts, total, cause, upgrades, ...wave }) => [
      id,
      tint(state),
      `${counts['verified'] ?? 0}/${total}`,
      String(
        (counts['failed'] ?? 0) +
          (counts['stale'] ?? 0) +
          upgrades.filter((upgrade) => upgrade.state === 'failed').length,
      ),
      ...timesOf(wave, now),
      cause.length > 48 ? `${cause.slice(0, 47)}…` : cause,
      [
        // The state says already that it waits for approval: what is left is how to give it.
        wave.pausedBy ?? wave.waitsFor?.replace(/^waits for approval: /, '') ?? '',
        (counts['shadowed'] ?? 0) === 0 ? '' : `${counts['shadowed'] ?? 0} shadowed`,
      ]
        .filter((note) => note !== '')
        .join('; '),
    ]),
  );

const hostsTable = (hosts: HostView[]): string =>
  formatTable(
    ['host', 'state', 'heard', 'platform', 'containers', 'stale', 'notes'],
    hosts.map((host) => [
      host.id,
      tint(host.state),
      host.heardAgoMs === null ? 'never' : `${formatDuration(host.heardAgoMs)} ago`,
      host.platform,
      String(host.containers),
      String(host.stale),
      [
        host.atRest ? '' : `packages not at rest: ${host.atRestReason}`,
        host.gate === null ? '' : `host gate: ${host.gate}`,
        host.rebootRequired.length === 0
          ? ''
          : `reboot required (${host.rebootRequired.join(', ')})`,
        staleProcessNote(host.staleHostProcesses),
        host.agentStale ? 'the agent itself runs old code: restart it' : '',
        host.suspects === 0
          ? ''
          : `${countOf(host.suspects, 'restart')} of a lost journal unanswered`,
      ]
        .filter((note) => note !== '')
        .join('; '),
    ]),
  );

const hostsText = (hosts: HostView[]): string => {
  const lines = hosts.flatMap(staleProcessLines);
  return hosts.length === 0
    ? 'no hosts; to enrol one: groundswell host enrol'
    : [hostsTable(hosts), ...(lines.length === 0 ? [] : ['', ...lines])].join('\n');
};

/** So many containers of a kind are named below a table. */
const namedAtMost = 5;

const firstOf = (lines: string[]): string[] => {
  if (lines.length === 0) return [];
  const more = lines.length - namedAtMost;
  return [
    '',
    ...lines.slice(0, namedAtMost),
    ...(more > 0 ? [`and ${countOf(more, 'container')} more: groundswell containers`] : []),
  ];
};

/** Containers that keep their own copies of packages' files, each with file and package. */
const shadowLines = (services: ServiceSummary[]): string[] =>
  firstOf(
    services.flatMap(({ ownFiles }) =>
      ownFiles.flatMap(({ container, code, what }) =>
        code === 'shadowed' ? [`${container} is ${tint('shadowed')}: ${what}`] : [],
      ),
    ),
  );

/** Containers that several services claim, which is to be mended in the configuration (R18). */
const conflictLines = (services: ServiceSummary[]): string[] =>
  firstOf(
    services.flatMap(({ conflicts }) =>
      conflicts.map(({ reason }) => tint(`failed: ${reason}`).replace('failed: ', '')),
    ),
  );

/** What is not restarted, or not before a date, whether a wave is under way or not. */
const optOutLines = (services: ServiceSummary[]): string[] =>
  firstOf(
    services.flatMap(({ optedOut }) =>
      optedOut.map(({ container, ...optOut }) => `${container} is ${describeOptOut(optOut)}`),
    ),
  );

const servicesText = (services: ServiceSummary[]): string =>
  services.length === 0
    ? 'no services: none is configured, and no container on a host’s root is known'
    : [
        servicesTable(services),
        ...conflictLines(services),
        ...shadowLines(services),
        ...optOutLines(services),
      ].join('\n');

/** What a pause waits for: restarts in flight, and hosts that may hold more. */
const waiting = (inFlight: number, waitsFor: readonly string[]): string => {
  const first = waitsFor.slice(0, 3).join(', ');
  return inFlight === waitsFor.length
    ? `${inFlight} in flight: ${first}`
    : `waits for ${first}${waitsFor.length > 3 ? `, and ${waitsFor.length - 3} more` : ''}`;
};

const statusText = (status: StatusView): string => {
  const lines: string[] = [];
  const containers = status.hosts.reduce((sum, host) => sum + host.containers, 0);
  const stale = status.hosts.reduce((sum, host) => sum + host.stale, 0);
  lines.push(
    `${countOf(status.hosts.length, 'host')}, ${countOf(containers, 'container')}, ${stale === 0 ? 'none stale' : `${stale} stale`}. ${status.leader ? 'This server is active' : 'This server does not lead: its lease could not be renewed, and nothing begins until it is'}; Redis ${status.redis}.`,
  );
  for (const { level, state, inFlight, waitsFor, actor, reason } of status.pauses)
    lines.push(
      `${tint(state)} (${pauseSubject(level)}) by ${actor}: ${reason}${state === 'pausing' ? `; ${waiting(inFlight, waitsFor)}` : ''}`,
    );
  for (const { reason, until, actor, id } of status.freezes)
    lines.push(
      `freeze ${id} by ${actor}: ${reason}${until === null ? '' : ` until ${new Date(until).toISOString()}`}`,
    );
  for (const { since, text } of status.alerts) {
    const when = since === null ? '' : ` since ${dateText(since)}`;
    lines.push(tint(`failed: ${text}`).replace('failed: ', `alert${when}: `));
  }
  lines.push('', hostsText(status.hosts), '', servicesText(status.services));
  const open = status.waves.filter((wave) => !isOver(wave));
  if (open.length > 0) lines.push('', wavesTable(open));
  return lines.join('\n');
};

const containerTable = (containers: ContainerLine[]): string =>
  formatTable(
    ['container', 'service', 'state', 'health', 'code', 'why'],
    containers.map(({ container, service, state, health, code, answer }) => [
      ...[container, service, tint(state), tint(health), tint(code)],
      answer,
    ]),
  );

/** `status`, `hosts`, `containers` and `services`: what there is. */
export const registerStatus = (program: Command, deps: CliDependencies): void => {
  type Options = { json?: boolean; socket?: string };
  withRemoteOptions(
    program.command('status').description('hosts, services and waves at a glance'),
  ).action(async (options: Options) => {
    const remote = remoteFor(deps, options);
    remote.show((await remote.get('/v1/status')) as StatusView, statusText);
  });
  withRemoteOptions(program.command('hosts').description('list the hosts')).action(
    async (options: Options) => {
      const remote = remoteFor(deps, options);
      remote.show((await remote.get('/v1/hosts')) as HostView[], hostsText);
    },
  );
  withRemoteOptions(
    program
      .command('services')
      .description('list the services, their availability and their floor'),
  ).action(async (options: Options) => {
    const remote = remoteFor(deps, options);
    remote.show((await remote.get('/v1/services')) as ServiceSummary[], servicesText);
  });
  withRemoteOptions(
    program.command('containers').description('list the containers, with stale, shadowed, and why'),
  )
    .option('--stale', 'only those that run old code, or keep own copies of files')
    .action(async (options: Options & { stale?: boolean }) => {
      const remote = remoteFor(deps, options);
      const all = (await remote.get('/v1/containers')) as ContainerLine[];
      remote.show(
        options.stale === true
          ? all.filter(({ code }) => code === 'stale' || code === 'shadowed')
          : all,
        (shown) =>
          shown.length > 0
            ? containerTable(shown)
            : all.length === 0
              ? 'no containers'
              : 'no container runs old code',
      );
    });
};
