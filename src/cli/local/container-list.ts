import { describeOptOut } from '../../core/opt-out.ts';
import { rewriteOldForm } from '../../host/lxc/old-form.ts';
import { findUnhidden } from '../../host/lxc/provision/find-unhidden.ts';
import type { ParkedNote, ParkedStore } from '../../host/lxc/provision/parked.ts';
import type { Provisioning } from '../../host/lxc/provision/provisioning.ts';
import type { RootKind, RuntimeState } from '../../host/runtime.ts';
import { formatTable, tint } from '../print.ts';
import { oldFormText } from './old-form-text.ts';

/** One container, as `container list --json` prints it. */
export interface ContainerRow {
  name: string;
  state: RuntimeState['state'] | 'unknown';
  instance: RuntimeState['instance'];
  address: string | null;
  services: string[];
  root: RootKind;
  autostart: boolean;
  /** Private directories of the host that it can look into. */
  unhidden: string[];
  oldKeys: string[];
  configPath: string;
  parked: ParkedNote | null;
  /** By this host's configuration; null: it may be restarted. */
  optOut: { reason: string; until: number | null } | null;
}

/** What keeps a container from being restarted by Groundswell, as this host's configuration has it now. */
export type OptOutOf = (container: { name: string; groups: string[] }) => ContainerRow['optOut'];

/** Everything there is to say of this host's containers, without a child process for each. */
export const readContainerRows = async (
  provisioning: Provisioning,
  parked: Pick<ParkedStore, 'list'>,
  optOutOf: OptOutOf,
): Promise<ContainerRow[]> => {
  const { runtime } = provisioning;
  const containers = await runtime.list();
  const [states, notes, unhidden] = await Promise.all([
    runtime.states(containers.map(({ name }) => name)),
    parked.list(),
    findUnhidden(containers, provisioning),
  ]);
  return containers.map((container) => {
    const state = states.get(container.name);
    return {
      name: container.name,
      state: state?.state ?? 'unknown',
      instance: state?.instance ?? null,
      address: container.address,
      services: container.groups,
      root: container.root,
      autostart: container.autostart,
      unhidden: unhidden.find(({ name }) => name === container.name)?.paths ?? [],
      oldKeys: container.oldKeys,
      configPath: container.configPath,
      parked: notes.notes.find(({ name }) => name === container.name) ?? null,
      optOut: optOutOf(container),
    };
  });
};

const rootText = (root: RootKind): string => {
  switch (root.kind) {
    case 'host-overlay':
      return 'host';
    case 'host-overlay-old-keys':
      return 'host, old keys';
    case 'other':
      return `own: ${root.describe}`;
  }
};

const notesOf = (row: ContainerRow): string => {
  const notes: string[] = [];
  if (row.parked !== null && row.state !== 'running') notes.push(`parked: ${row.parked.reason}`);
  if (row.optOut !== null) notes.push(describeOptOut(row.optOut));
  if (row.root.kind === 'host-overlay-old-keys') notes.push('LXC refuses its keys');
  const [first, ...more] = row.unhidden;
  if (first !== undefined)
    notes.push(`sees the host's ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`);
  return notes.join('; ');
};

const hints = (rows: readonly ContainerRow[]): string[] => {
  const lines: string[] = [];
  const old = rows.filter(({ root }) => root.kind === 'host-overlay-old-keys');
  const oldText = oldFormText(
    old.map(({ name, configPath }) => ({ name, rewrite: rewriteOldForm(configPath) })),
  );
  if (oldText !== null) lines.push(oldText);
  const open = rows.filter(({ unhidden }) => unhidden.length > 0);
  if (open.length > 0)
    lines.push(
      `${open.length} of ${rows.length} can look into private directories of the host. Each restart by Groundswell hides them; for one that is down: groundswell container hide <name>`,
    );
  const others = rows.filter(({ root }) => root.kind === 'other');
  if (others.length > 0)
    lines.push(`Left alone, not on the host's root: ${others.map(({ name }) => name).join(', ')}`);
  return lines;
};

/** The table for people, and below it what they should know. */
export const containerTable = (rows: readonly ContainerRow[], lxcPath: string): string => {
  if (rows.length === 0)
    return `No containers in ${lxcPath}. Make one with: groundswell container create web-01 --init "…"`;
  const table = formatTable(
    ['name', 'state', 'address', 'service', 'root', 'notes'],
    rows.map((row) => [
      row.name,
      tint(row.state),
      row.address ?? '-',
      row.services.join(', ') || '-',
      rootText(row.root),
      notesOf(row),
    ]),
  );
  const below = hints(rows);
  return below.length === 0 ? table : `${table}\n\n${below.join('\n')}`;
};
