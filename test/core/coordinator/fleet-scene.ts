import { emptyFleet, defaultFleetSettings } from '../../../src/core/coordinator/fleet.ts';
import type { Fleet, FleetSettings } from '../../../src/core/coordinator/fleet.ts';
import type { OperatorAction } from '../../../src/core/coordinator/operator-action.ts';
import { fleetStep } from '../../../src/core/coordinator/step.ts';
import type { Commands, FleetEvent } from '../../../src/core/coordinator/step.ts';
import type {
  ContainerView,
  GateAnswer,
  HostObserved,
  RecordNumber,
  Report,
} from '../../../src/core/messages.ts';
import type { ServiceSettings } from '../../../src/core/service-settings.ts';

export const staleFile = {
  pid: 812,
  startTime: '1',
  command: 'nginx',
  path: '/usr/lib/libssl.so.3',
  kind: 'replaced',
  process: 'container',
} as const;

/** A healthy container that runs old code, unless said otherwise. */
export const view = (name: string, more: Partial<ContainerView> = {}): ContainerView => ({
  name,
  groups: [],
  address: null,
  onHostRoot: true,
  oldForm: false,
  rootNote: '',
  state: 'running',
  instance: { bootId: 'b', initPid: 100, startTime: name },
  identity: null,
  health: 'healthy',
  healthReason: '',
  stale: [staleFile],
  shadowed: [],
  unreadable: [],
  ownerStopped: false,
  died: false,
  optOut: null,
  parked: null,
  unhidden: [],
  ...more,
});

export const observed = (
  containers: ContainerView[],
  more: Partial<HostObserved> = {},
): HostObserved => ({
  kind: 'host-observed',
  leader: [0, 0],
  settled: true,
  transactions: null,
  openUpgrades: [],
  whole: true,
  containers,
  settingsHashes: { '*': 'hash' },
  openGrants: [],
  waits: [],
  atRest: true,
  atRestReason: '',
  rebootRequired: [],
  staleHostProcesses: [],
  platform: 'debian-12',
  agentStale: false,
  problems: [],
  gate: null,
  ...more,
});

/** What an agent says when a restart has failed or is over. */
export const ended = (
  grantId: string,
  outcome: 'failed' | 'refused' | 'void',
  container: ContainerView | null = null,
): Report => ({
  kind: 'restart-finished',
  grantId,
  outcome,
  verification: null,
  reason: 'port closed',
  steps: [],
  container,
});

export const web = (more: Partial<ServiceSettings> = {}): ServiceSettings => ({
  name: 'web',
  match: [{ container: 'web-*' }],
  budget: { maxUnavailable: 1 },
  mode: 'auto',
  restartBroken: false,
  ...more,
});

export interface Scene {
  fleet: Fleet;
  now: number;
  wall: { ms: number; minuteOfDay: number };
  step: (event: FleetEvent) => Commands;
  /** So much later every host that was heard is heard again. */
  later: (ms: number) => void;
  act: (action: OperatorAction) => Commands;
  /** The next report of a host, in order, echoing its newest record unless said otherwise. */
  report: (
    hostId: string,
    report: Report,
    more?: { echo?: RecordNumber; incarnation?: string; seq?: number; acked?: number },
  ) => Commands;
  upgraded: (hostId: string, containers: ContainerView[], gate?: GateAnswer) => Commands;
  grants: () => string[];
}

/** A coordinator with enrolled hosts that have said nothing yet. */
export const scene = (
  services: ServiceSettings[],
  settings: Partial<FleetSettings> = {},
  hosts: { id: string; zone?: string }[] = [{ id: 'h1' }],
): Scene => {
  const fleet = emptyFleet({ ...defaultFleetSettings, ...settings }, 1, 1);
  for (const service of services) fleet.services.set(service.name, service);
  let ids = 0;
  const here: Scene = {
    fleet,
    now: 1_000,
    wall: { ms: 5_000, minuteOfDay: 720 },
    step: (event) =>
      fleetStep(fleet, event, { now: here.now, wall: here.wall, newId: () => `id${++ids}` }),
    later: (ms) => {
      here.now += ms;
      here.wall.ms += ms;
      for (const host of fleet.hosts.values()) if (host.heardAt !== null) host.heardAt = here.now;
    },
    act: (action) => here.step({ kind: 'operator', actor: 'ann', action }),
    report: (hostId, report, more = {}) => {
      const host = fleet.hosts.get(hostId);
      const generation = Math.max(fleet.generation, host?.generation ?? 0);
      return here.step({
        kind: 'report',
        message: {
          host: hostId,
          incarnation: more.incarnation ?? 'life-1',
          seq: more.seq ?? (host?.ackedSeq ?? 0) + 1,
          acked: more.acked ?? 0,
          echo: more.echo ?? [generation, fleet.epoch, host?.recordN ?? 0],
          // Seen under the present leader, unless said otherwise.
          report:
            report.kind === 'host-observed' && report.leader?.[0] === 0
              ? { ...report, leader: [generation, fleet.epoch] }
              : report,
        },
      });
    },
    upgraded: (hostId, containers, gate = { ok: true, reason: '' }) =>
      here.report(hostId, {
        kind: 'host-upgraded',
        transaction: (fleet.hosts.get(hostId)?.transactions ?? 0) + 1,
        changes: [{ name: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2' }],
        origin: { by: 'outside' },
        containers,
        gate,
      }),
    grants: () => [...fleet.grants.values()].map(({ container, host }) => container ?? host).sort(),
  };
  for (const { id, zone } of hosts)
    here.act({ action: 'host-add', hostId: id, zone: zone ?? '', cap: null });
  return here;
};

const fresh = (name: string): ContainerView => view(name, { stale: [] });

/** Hosts that reported whole, all well, before a transaction makes `stale` of them run old code. */
export const upgradedScene = (
  services: ServiceSettings[],
  containers: Record<string, string[]>,
  settings: Partial<FleetSettings> = {},
  zones: Record<string, string> = {},
): Scene => {
  const hosts = Object.keys(containers);
  const here = scene(
    services,
    settings,
    hosts.map((id) => ({ id, zone: zones[id] ?? '' })),
  );
  for (const hostId of hosts) here.report(hostId, observed((containers[hostId] ?? []).map(fresh)));
  for (const hostId of hosts)
    here.upgraded(
      hostId,
      (containers[hostId] ?? []).map((n) => view(n)),
    );
  return here;
};
