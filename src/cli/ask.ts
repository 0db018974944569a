import type { Command } from 'commander';
import type { WantedPackage } from '../core/messages.ts';
import { ApiError } from '../api/client.ts';
import { calledOrOf, containerCalled } from './container-called.ts';
import { actAndTell, remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies } from './remote.ts';
import type { ContainerLine, ServiceSummary } from './views.ts';

type Options = { json?: boolean; socket?: string };

/** `libssl3`, `libssl3=3.0.17-1` (exactly), `libssl3>=3.0.17-1` (at least). */
export const parseWanted = (text: string): WantedPackage => {
  const match = /^(?<name>[a-z0-9][a-z0-9+.:-]+)(?:(?<sign>>=|=)(?<version>\S+))?$/.exec(
    text,
  )?.groups;
  const name = match?.['name'];
  if (name === undefined)
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
    .option('--allow-remove', 'let the upgrade remove packages')
    .action(
      async (hosts: string[], packages: string[], options: Options & { allowRemove?: boolean }) =>
        actAndTell(remoteFor(deps, options), {
          action: 'upgrade',
          hosts,
          mode: packages.length === 0 ? 'security' : 'packages',
          packages: packages.map(parseWanted),
          allowRemove: options.allowRemove ?? false,
        }),
    );
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
