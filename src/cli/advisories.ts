import type { Command } from 'commander';
import type {
  AdvisoryDetail,
  AdvisoryLine,
  HostInventoryView,
} from '../core/advisories/advisory-views.ts';
import type { Inventory, InventoryPackage } from '../core/advisories/inventory.ts';
import { countOf, formatDuration, formatTable, tint } from './print.ts';
import { remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies } from './remote.ts';

type Options = { json?: boolean; socket?: string };

const firstOf = (texts: readonly string[], most: number): string =>
  texts.length <= most
    ? texts.join(', ')
    : `${texts.slice(0, most).join(', ')} and ${texts.length - most} more`;

const severityText = ({ severity, exploited }: AdvisoryLine): string =>
  exploited ? tint(`failed ${severity}, exploited`).replace('failed ', '') : severity;

/** Advisories that hosts lack the fix of. */
export const advisoriesText = (lines: readonly AdvisoryLine[]): string =>
  lines.length === 0
    ? 'no host lacks the fix of an advisory that is known; see also: groundswell feeds'
    : formatTable(
        ['advisory', 'severity', 'packages', 'hosts', 'decided', 'title'],
        lines.map((line) => [
          line.id,
          severityText(line),
          firstOf(line.packages, 3),
          String(line.hosts),
          firstOf(line.decisions, 2),
          line.title,
        ]),
      );

/** One advisory: what it is, and what it means for each host. */
export const advisoryText = (advisory: AdvisoryDetail): string => {
  const { id, feed, title, cves, published, affected, containers } = advisory;
  const of = (state: string): number => affected.filter((one) => one.state === state).length;
  const facts = [
    `${id} (${feed}): ${title}`,
    `severity ${severityText(advisory)}${advisory.vendorSeverity === null ? '' : ` (${advisory.vendorSeverity})`}${published === null ? '' : `, published ${published.slice(0, 10)}`}, first seen ${advisory.firstSeen.slice(0, 16)}Z${advisory.withdrawn ? ', withdrawn' : ''}`,
    ...(cves.length === 0 ? [] : [firstOf(cves, 12)]),
  ];
  if (affected.length === 0)
    return [...facts, '', 'no host has a package that it concerns'].join('\n');
  return [
    ...facts,
    '',
    formatTable(
      ['host', 'package', 'installed', 'fixed in', 'mirror has', 'state', 'why'],
      affected.map((one) => [
        ...[one.host, one.package, one.installed, one.fixed ?? ''],
        ...[one.target ?? '', tint(one.state), one.why],
      ]),
    ),
    '',
    ...containers.map(
      ({ host, count, stale }) =>
        `${host} has ${countOf(count, 'container')}${stale.length === 0 ? ', none of which runs old code now' : `; old code runs now in ${firstOf(stale, 8)}`}`,
    ),
    `${of('pending')} to be upgraded, ${of('applied')} fixed already, ${of('no-fix')} without a fix`,
  ].join('\n');
};

const packageRows = ({ packages }: Inventory, offers: readonly InventoryPackage[]): string[][] => {
  const offered = new Map(offers.map(({ name, arch, version }) => [`${name}:${arch}`, version]));
  return packages.map(({ name, arch, version, source, held }) => [
    name,
    arch,
    version,
    source ?? name,
    [offered.get(`${name}:${arch}`) ?? '', held === true ? '(held)' : '']
      .filter((part) => part !== '')
      .join(' '),
  ]);
};

/** What a host has, as a table. */
export const inventoryText = (inventory: Inventory, offers: readonly InventoryPackage[]): string =>
  [
    formatTable(
      ['package', 'arch', 'version', 'source', 'offered'],
      packageRows(inventory, offers),
    ),
    '',
    `${countOf(inventory.packages.length, 'package')} of ${inventory.platform}, ${offers.length === 0 ? 'nothing newer is offered' : `${countOf(offers.length, 'of them is', 'of them are')} offered newer`}${(inventory.channels ?? []).length === 0 ? '' : `; attached to ${(inventory.channels ?? []).join(', ')}`}`,
  ].join('\n');

/** `advisories`, `advisory`: what is published and concerns the fleet. */
export const registerAdvisories = (program: Command, deps: CliDependencies): void => {
  withRemoteOptions(
    program
      .command('advisories')
      .description('advisories that hosts lack the fix of, and what is decided about each'),
  ).action(async (options: Options) => {
    const remote = remoteFor(deps, options);
    remote.show((await remote.get('/v1/advisories')) as AdvisoryLine[], advisoriesText);
  });
  withRemoteOptions(
    program
      .command('advisory')
      .argument('<id>', 'such as DSA-5380-1')
      .description('one advisory: which hosts and containers it concerns, their state, why not'),
  ).action(async (id: string, options: Options) => {
    const remote = remoteFor(deps, options);
    const path = `/v1/advisories/${encodeURIComponent(id)}`;
    remote.show((await remote.get(path)) as AdvisoryDetail[], (found) =>
      found.map(advisoryText).join('\n\n'),
    );
  });
};

/** What a host reported to its server, how old that is, and how old what it knows of its repositories. */
export const reportedInventoryText = (view: HostInventoryView, now: number): string => {
  const ago = (iso: string): string => `${formatDuration(now - Date.parse(iso))} ago`;
  const { refreshedAt, refreshProblem } = view;
  const repositories =
    refreshProblem !== null
      ? `cannot be read: ${refreshProblem}`
      : refreshedAt === null
        ? 'were not read since its agent began'
        : `were read ${ago(refreshedAt)}`;
  return [
    inventoryText(view.inventory as Inventory, view.offers as InventoryPackage[]),
    `reported ${ago(view.reportedAt)}; its repositories ${repositories}`,
  ].join('\n');
};

/** What a host reported to its server, as this machine's own inventory is shown. */
export const reportedInventory = async (
  deps: CliDependencies,
  host: string,
  options: Options,
): Promise<void> => {
  const remote = remoteFor(deps, options);
  const view = (await remote.get(`/v1/inventory/${encodeURIComponent(host)}`)) as HostInventoryView;
  remote.show(view.inventory, () => reportedInventoryText(view, Date.now()));
};
