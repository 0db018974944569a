import { globMatches } from '../core/glob.ts';
import { certainConflict } from '../core/membership.ts';
import { misusedPlaceholders } from './check-placeholders.ts';
import { at, placeOf } from './located.ts';
import type { Located } from './located.ts';
import type { Configuration } from './schema.ts';
import { sharedServer } from './shared-server.ts';
import { formatOption } from './problem.ts';
import type { Problem } from './problem.ts';

/** A path from the root, `host:port` or `[v6]:port`: a relative path would depend on where the agent was started. */
const isSocketAddress = (socket: string): boolean =>
  socket.startsWith('/') || /^(?:\[[^\]/]+\]|[^:/]+):\d{1,5}$/.test(socket);

const haproxyName = /^[A-Za-z0-9_.:{}-]+$/;

type Say = (path: PropertyKey[], message: string) => Problem;

/** Feeds that have one name, or of which nobody can tell where they come from. */
const feedProblems = ({ feeds, platforms }: Configuration, say: Say): Problem[] => {
  const names = new Set<string>();
  return feeds.flatMap(({ name, source, url, path, platform, mirrors }, index) => {
    const called = name ?? source;
    const isTaken = names.has(called);
    names.add(called);
    const needsPlace = url === undefined && path === undefined && source !== 'kev';
    const noPlatform = platform === undefined && Object.keys(platforms).length === 0;
    return [
      ...(isTaken
        ? [say(['feeds', index], `feed ${called} is there already: give it a name`)]
        : []),
      ...(mirrors.length > 0 && (!needsPlace || source !== 'apt-security')
        ? [say(['feeds', index, 'mirrors'], 'is for apt-security whose archives hosts name')]
        : []),
      ...(needsPlace && source !== 'apt-security' && noPlatform
        ? [say(['feeds', index], 'say for which `platform` it is, or give it a `url` or a `path`')]
        : []),
    ];
  });
};

/** Sentinels are of use only to who is told the master's name. */
const sentinelProblems = ({ redis: { url, sentinels } }: Configuration, say: Say): Problem[] =>
  sentinels === undefined || /^rediss?:\/\/[^/]+/.test(url ?? '')
    ? []
    : [
        say(
          ['redis', 'sentinels'],
          'needs `redis.url` with the name of the master as its host, such as redis://user:password@mymaster',
        ),
      ];

/** Whether an opt-out's glob can be of any service: one of these, or that of whatever host's unclaimed containers. */
const isClaimed = (glob: string, { services }: Configuration): boolean =>
  services.some(({ name }) => globMatches(glob, name)) ||
  globMatches(glob, 'host/unassigned') ||
  glob.endsWith('/unassigned');

/** What no schema of one option can say. `located` is where the values of `configuration` came from. */
export const checkConfiguration = (configuration: Configuration, located: Located): Problem[] => {
  const problem = (path: PropertyKey[], message: string): Problem => ({
    ...placeOf(located, path),
    option: formatOption(path),
    message,
  });
  const first = new Map<string, number>();
  /** R18: where the rules alone prove it; else it is known once there is such a container. */
  const doublyClaimed = (index: number): Problem[] => {
    const service = configuration.services[index];
    return configuration.services.flatMap((other, at_) => {
      if (service === undefined || other.name === service.name) return [];
      const found = certainConflict(other.match, service.match);
      if (found === null) return [];
      // Of two that claim the same each covers the other: once is enough.
      if (at_ > index && certainConflict(service.match, other.match) !== null) return [];
      const { file, line } = placeOf(located, ['services', at_, 'match', found.wide]);
      return [
        problem(
          ['services', index, 'match', found.narrow],
          `what service ${service.name} claims by this is claimed by service ${other.name}, too (${file}:${line ?? 1}): a container belongs to one service alone`,
        ),
      ];
    });
  };
  const { optOut } = configuration;
  const noSuchService = optOut.flatMap(({ service }, index) =>
    service === undefined || isClaimed(service, configuration)
      ? []
      : [
          problem(
            ['optOut', index, 'service'],
            `there is no service ${service}, so nothing is spared by this. There are: ${[...configuration.services.map(({ name }) => name), '<host>/unassigned'].join(', ')}`,
          ),
        ],
  );
  const ofServices = configuration.services.flatMap((service, index) => {
    const here: PropertyKey[] = ['services', index];
    const problems: Problem[] = [];
    const before = first.get(service.name);
    if (before !== undefined) {
      const { file, line } = placeOf(located, ['services', before, 'name']);
      problems.push(
        problem(
          [...here, 'name'],
          `service ${service.name} is there already (${file}:${line ?? 1})`,
        ),
      );
    } else first.set(service.name, index);
    if (service.name.endsWith('/unassigned'))
      problems.push(
        problem(
          [...here, 'name'],
          '<host>/unassigned is the service of containers that no other claims; choose another name',
        ),
      );
    if (service.match.length === 0)
      problems.push(
        problem(
          at(located, [...here, 'match']) === null ? here : [...here, 'match'],
          `service ${service.name} claims no container: say which are its own, such as \`match: [{group: ${service.name}}]\` (lxc.group) or \`match: [{container: "${service.name}-*"}]\``,
        ),
      );
    service.match.forEach((rule, at_) => {
      if (rule.group !== undefined && /[*?]/.test(rule.group))
        problems.push(
          problem(
            [...here, 'match', at_, 'group'],
            `"${rule.group}": a group is named as a whole, as lxc.group has it; * and ? stand for something in host and container only`,
          ),
        );
      if (Object.keys(rule).length === 0)
        problems.push(
          problem(
            [...here, 'match', at_],
            'name a host, a container or a group (`container: "*"` for all)',
          ),
        );
    });
    problems.push(...doublyClaimed(index));
    for (const { path, message } of misusedPlaceholders(service))
      problems.push(problem([...here, ...path], message));
    if (service.haproxy !== undefined && !isSocketAddress(service.haproxy.socket))
      problems.push(
        problem(
          [...here, 'haproxy', 'socket'],
          `"${service.haproxy.socket}": want the absolute path of a socket such as /run/haproxy/admin.sock, or host:port`,
        ),
      );
    if (service.haproxy !== undefined)
      for (const key of ['backend', 'server'] as const)
        if (!haproxyName.test(service.haproxy[key]))
          problems.push(
            problem(
              [...here, 'haproxy', key],
              `"${service.haproxy[key]}" is no name for HAProxy: want letters, digits, _ . : - and {name}`,
            ),
          );
    const shared = sharedServer(service);
    if (shared !== null) problems.push(problem([...here, 'haproxy', 'server'], shared));
    if (service.minHealthyTimeMs >= service.healthyDeadlineMs)
      problems.push(
        problem(
          [
            ...here,
            at(located, [...here, 'healthyDeadlineMs']) === null
              ? 'minHealthyTimeMs'
              : 'healthyDeadlineMs',
          ],
          `healthyDeadlineMs (${service.healthyDeadlineMs}) must be more than minHealthyTimeMs (${service.minHealthyTimeMs}), or no restart can end well`,
        ),
      );
    return problems;
  });
  return [
    ...ofServices,
    ...noSuchService,
    ...sentinelProblems(configuration, problem),
    ...feedProblems(configuration, problem),
  ];
};
