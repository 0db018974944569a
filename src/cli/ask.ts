import type { Command } from 'commander';
import type { WantedPackage } from '../core/messages.ts';
import { ApiError } from '../api/client.ts';
import type { AdvisoryDetail } from '../core/advisories/advisory-views.ts';
import { calledOrOf, containerCalled } from './container-called.ts';
import { actAndTell, remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies } from './remote.ts';
import type { ContainerLine, ServiceSummary } from './views.ts';
import { wantedOfAdvisory } from './wanted-of-advisory.ts';

type Options = { json?: boolean; socket?: string };
type UpgradeOptions = Options & { allowRemove?: boolean; advisory?: string };

/** What dpkg takes for a package, with its architecture where that is said: `libssl3`, `libssl3:amd64`. */
const debName = /^[a-z0-9][a-z0-9+._-]*(?::[a-z0-9-]+)?$/i;
/** What rpm takes for one: `NetworkManager`, `python3-PyYAML`. */
const rpmName = /^\w[\w+.-]*$/;

/** `libssl3`, `libssl3=3.0.17-1` (exactly), `libssl3>=3.0.17-1` (at least). Of which kind the hosts are, they know themselves. */
export const parseWanted = (text: string): WantedPackage => {
  const match = /^(?<name>[^\s=>]+)(?:(?<sign>>=|=)(?<version>\S+))?$/.exec(text)?.groups;
  const name = match?.['name'];
  if (name === undefined || !(debName.test(name) || rpmName.test(name)))
    throw new ApiError(
      `cannot read ${text}: want a package such as libssl3, libssl3=3.0.17-1 or "libssl3>=3.0.17-1"`,
      null,
    );
  const version = match?.['version'];
  if (version === undefined) return { name, want: 'newest', version: null };
  return { name, want: match?.['sign'] === '=' ? 'exact' : 'at-least', version };
};

/** `h1`, or several for one wave: `h1,h2`. */
export const parseHosts = (text: string): string[] => {
  const hosts = [...new Set(text.split(',').map((host) => host.trim()))];
  if (hosts.includes(''))
    throw new ApiError(`cannot read ${text}: want a host, or several such as h1,h2`, null);
  return hosts;
};

/** `upgrade`, `restart` and `why`: asking for something, and for its reason. */
export const registerAsk = (program: Command, deps: CliDependencies): void => {
  withRemoteOptions(
    program
      .command('upgrade')
      .argument('<host>', 'a host, or several: h1,h2', parseHosts)
      .argument(
        '[packages...]',
        'such as libssl3, libssl3=3.0.17-1 or "libssl3>=3.0.17-1"; without any, all security updates',
      )
      .description('upgrade packages on hosts, and restart what then runs old code'),
  )
    .option('--advisory <id>', 'the packages that lack the fix of an advisory, such as DSA-5380-1')
    .option('--allow-remove', 'let the upgrade remove packages')
    .action(async (hosts: string[], named: string[], options: UpgradeOptions) => {
      const { advisory, allowRemove = false } = options;
      const remote = remoteFor(deps, options);
      if (advisory !== undefined && named.length > 0)
        throw new ApiError('name packages or an advisory, not both', null);
      const packages =
        advisory === undefined
          ? named.map(parseWanted)
          : wantedOfAdvisory(
              (await remote.get(
                `/v1/advisories/${encodeURIComponent(advisory)}`,
              )) as AdvisoryDetail[],
              hosts,
            );
      await actAndTell(remote, {
        action: 'upgrade',
        hosts,
        // Without either of them all security updates are meant.
        mode: advisory === undefined && named.length === 0 ? 'security' : 'packages',
        ...{ packages, allowRemove },
      });
    });
  withRemoteOptions(
    program
      .command('restart')
      .argument('<what>', 'a container (host/name, or the name alone) or a service')
      .description('restart by hand: with the same grants, budgets and records'),
  ).action(async (what: string, options: Options) => {
    const remote = remoteFor(deps, options);
    const all = (await remote.get('/v1/containers')) as ContainerLine[];
    const services = (await remote.get('/v1/services')) as ServiceSummary[];
    const found = calledOrOf(
      all,
      what,
      services.map(({ name }) => name),
    );
    await actAndTell(remote, {
      action: 'restart',
      containers: found.map(({ container }) => container),
      what: `restart of ${what}`,
    });
  });
  withRemoteOptions(
    program
      .command('why')
      .argument('<container>', 'host/name, or the name alone')
      .description('why a container is where it is, and what would end its waiting'),
  ).action(async (container: string, options: Options) => {
    const remote = remoteFor(deps, options);
    remote.show(
      containerCalled((await remote.get('/v1/containers')) as ContainerLine[], container),
      (found) =>
        [
          `${found.container} (service ${found.service}): ${found.answer}`,
          ...found.stale.map((line) => `  stale: ${line}`),
          ...found.shadowed.map((line) => `  shadowed: ${line}`),
          ...found.unreadable.map((line) => `  unknown: ${line}`),
          ...found.waves.map(
            ({ waveId, cause, state, reason }) =>
              `  wave ${waveId} (${cause}): ${state}${reason === '' ? '' : `, ${reason}`}`,
          ),
        ].join('\n'),
    );
  });
};
