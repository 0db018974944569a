import type { Command } from 'commander';
import { pauseSubject } from '../core/coordinator/pause-subject.ts';
import { describeOptOut } from '../core/opt-out.ts';
import { countOf, formatDuration, formatTable, tint } from './print.ts';
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

export const wavesTable = (waves: WaveSummary[]): string =>
  formatTable(
    ['wave', 'state', 'verified', 'failed', 'cause', 'waits for'],
    waves.map(({ id, state, counts, total, cause, waitsFor, pausedBy, upgrades }) => [
      id,
      tint(state),
      `${counts['verified'] ?? 0}/${total}`,
      String(
        (counts['failed'] ?? 0) +
          (counts['stale'] ?? 0) +
          upgrades.filter((upgrade) => upgrade.state === 'failed').length,
      ),
      cause.length > 48 ? `${cause.slice(0, 47)}…` : cause,
      // The state says already that it waits for approval: what is left is how to give it.
      pausedBy ?? waitsFor?.replace(/^waits for approval: /, '') ?? '',
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
        host.staleHostProcesses.length === 0
          ? ''
          : `${countOf(host.staleHostProcesses.length, 'process', 'processes')} of the host run old code`,
        host.agentStale ? 'the agent itself runs old code: restart it' : '',
        host.suspects === 0
          ? ''
          : `${countOf(host.suspects, 'restart')} of a lost journal unanswered`,
      ]
        .filter((note) => note !== '')
        .join('; '),
    ]),
  );

const shownOptOuts = 5;

/** What is not restarted, or not before a date, whether a wave is under way or not. */
const optOutLines = (services: ServiceSummary[]): string[] => {
  const all = services.flatMap(({ optedOut }) => optedOut);
  if (all.length === 0) return [];
  const more = all.length - shownOptOuts;
  return [
    '',
    ...all
      .slice(0, shownOptOuts)
      .map(({ container, ...optOut }) => `${container} is ${describeOptOut(optOut)}`),
    ...(more > 0 ? [`and ${countOf(more, 'container')} more: groundswell containers`] : []),
  ];
};

const statusText = (status: StatusView): string => {
  const lines: string[] = [];
  const containers = status.hosts.reduce((sum, host) => sum + host.containers, 0);
  const stale = status.hosts.reduce((sum, host) => sum + host.stale, 0);
  lines.push(
    `${countOf(status.hosts.length, 'host')}, ${countOf(containers, 'container')}, ${stale === 0 ? 'none stale' : `${stale} stale`}. ${status.leader ? 'This server is active' : 'This server stands by'}; Redis ${status.redis}.`,
  );
  for (const { level, state, inFlight, waitsFor, actor, reason } of status.pauses)
    lines.push(
      `${tint(state)} (${pauseSubject(level)}) by ${actor}: ${reason}${state === 'pausing' ? `; ${inFlight} in flight: ${waitsFor.slice(0, 3).join(', ')}` : ''}`,
    );
  for (const { reason, until, actor, id } of status.freezes)
    lines.push(
      `freeze ${id} by ${actor}: ${reason}${until === null ? '' : ` until ${new Date(until).toISOString()}`}`,
    );
  for (const alert of status.alerts)
    lines.push(tint(`failed: ${alert}`).replace('failed: ', 'alert: '));
  lines.push('', hostsTable(status.hosts), '', servicesTable(status.services));
  lines.push(...optOutLines(status.services));
  const open = status.waves.filter(({ endedAt }) => endedAt === null);
  if (open.length > 0) lines.push('', wavesTable(open));
  return lines.join('\n');
};

const containerText = (containers: ContainerLine[]): string =>
  formatTable(
    ['container', 'service', 'state', 'health', 'code', 'why'],
    containers.map(
      ({ container, service, state, health, stale, shadowed, unreadable, answer, onHostRoot }) => [
        container,
        service,
        tint(state),
        tint(health),
        tint(
          !onHostRoot
            ? 'own root'
            : stale.length > 0
              ? 'stale'
              : shadowed.length > 0
                ? 'shadowed'
                : unreadable.length > 0
                  ? 'unknown'
                  : 'present',
        ),
        answer,
      ],
    ),
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
      remote.show((await remote.get('/v1/hosts')) as HostView[], hostsTable);
    },
  );
  withRemoteOptions(
    program
      .command('services')
      .description('list the services, their availability and their floor'),
  ).action(async (options: Options) => {
    const remote = remoteFor(deps, options);
    remote.show((await remote.get('/v1/services')) as ServiceSummary[], servicesTable);
  });
  withRemoteOptions(
    program.command('containers').description('list the containers, with stale, shadowed, and why'),
  )
    .option('--stale', 'only those that run old code')
    .action(async (options: Options & { stale?: boolean }) => {
      const remote = remoteFor(deps, options);
      const all = (await remote.get('/v1/containers')) as ContainerLine[];
      remote.show(
        options.stale === true
          ? all.filter(({ stale, shadowed }) => stale.length + shadowed.length > 0)
          : all,
        containerText,
      );
    });
};
