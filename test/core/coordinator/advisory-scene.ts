import type { Need } from '../../../src/core/advisories/needs.ts';
import { defaultRule } from '../../../src/core/coordinator/policy.ts';
import type { PolicyRule } from '../../../src/core/coordinator/policy.ts';
import type { FleetSettings, Wave } from '../../../src/core/coordinator/fleet.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import type { ContainerView, UpgradeFinished } from '../../../src/core/messages.ts';
import type { PackageChange } from '../../../src/core/packages.ts';
import type { ServiceSettings } from '../../../src/core/service-settings.ts';
import { observed, scene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

/** A fix for libssl3 that is missing, unless said otherwise. */
export const need = ({
  offered = [{ feed: 'debian', id: 'DSA-1-1' }],
  ...more
}: Partial<Need> = {}): Need => ({
  ...{ name: 'libssl3', arch: 'amd64', installed: '1', target: '2' },
  ...{ source: more.name ?? 'libssl3', siblings: [], offered, fixes: offered },
  ...{ waiting: [], cves: ['CVE-2026-1'], kind: 'security', severity: 'high', exploited: false },
  ...{ firstSeen: 0, held: false },
  ...more,
});

export const auto: PolicyRule = { ...defaultRule, mode: 'auto' };

/** Hosts that are well, one container each, under rules for their platform. */
export const begin = (
  rules: PolicyRule[],
  { services = [web()], ...more }: Partial<FleetSettings> & { services?: ServiceSettings[] } = {},
): Scene => {
  const ids = ['h1', 'h2'];
  const settings = { policies: { 'debian-12': rules }, ...more };
  const here = scene(
    services,
    settings,
    ids.map((id) => ({ id })),
  );
  for (const id of ids) here.report(id, observed([view(`web-${id}`, { stale: [] })]));
  return here;
};

export const tell = (
  here: Scene,
  needs: Need[],
  hosts = ['h1', 'h2'],
  unread: string | null = null,
): Commands =>
  here.step({
    kind: 'needs',
    told: [
      {
        hosts: hosts.map((id) => ({
          ...{ id, transaction: here.fleet.hosts.get(id)?.transactions ?? 0, unread },
        })),
        needs,
      },
    ],
  });

export const waves = ({ fleet }: Scene): Wave[] => [...fleet.waves.values()];

export const orders = ({ sends }: Commands) =>
  sends.flatMap((send) =>
    send.kind === 'host-upgrade'
      ? [[send.host, ...send.payload.packages.map((one) => `${one.want} ${one.version ?? ''}`)]]
      : [],
  );

/** The host's upgrade is over: its container runs old code, `to` is what it got, and `along` what came along with it. */
export const finish = (
  here: Scene,
  host: string,
  to: string,
  failed: Partial<UpgradeFinished> | null = null,
  containers: ContainerView[] = [view(`web-${host}`)],
  along: PackageChange[] = [],
): Commands => {
  const grant = [...here.fleet.grants.values()].find((one) => one.host === host);
  const [jobId, waveId] = [grant?.jobId ?? '', grant?.waveId ?? ''];
  if (failed === null)
    here.report(host, {
      ...{ kind: 'host-upgraded', origin: { by: 'job', jobId, waveId }, gate: null },
      transaction: (here.fleet.hosts.get(host)?.transactions ?? 0) + 1,
      changes: [{ name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to }],
      containers,
    });
  return here.report(host, {
    ...{ kind: 'upgrade-finished', jobId, waveId, grantId: grant?.id ?? '', changes: along },
    ...{ ok: failed === null, reason: '', remedy: '', transcript: '', ...failed },
    gate: { ok: true, reason: '' },
  });
};
