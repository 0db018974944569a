import type { AuditDetails } from '../../core/audit-details.ts';
import type { AuditRow, QueueCounts } from '../../core/coordinator/api-rows.ts';
import type { FleetSettings } from '../../core/coordinator/fleet.ts';
import type { Moment } from '../../core/coordinator/may-grant.ts';
import type { Answer } from '../../core/coordinator/operator.ts';
import type { StandingAlert } from '../../core/coordinator/standing-alerts.ts';
import type { ServiceSettings } from '../../core/service-settings.ts';
import type { SettingsRecord } from '../../core/settings-record.ts';
import type { RedisAddress } from '../../jobs/connections.ts';
import type { OwnKeys } from '../../jobs/key-files.ts';
import type { MadeUser } from '../../jobs/make-redis-user.ts';
import type { AuditFilter } from '../../store/list-audit-records.ts';
import type { Store } from '../../store/open-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Coordinator } from './coordinate.ts';
import type { FollowedAdvisories } from './follow-advisories.ts';
import type { HostKeys } from './host-keys.ts';
import type { AuditSettings, KeptAudit } from './keep-audit.ts';
import type { NotifySettings } from './notify.ts';
import type { RedisWatch } from './watch-redis.ts';

export interface ServerOptions {
  store: Store;
  redis: RedisAddress;
  keys: OwnKeys;
  settings: FleetSettings;
  services: readonly ServiceSettings[];
  /** The settings as the audit trail tells changes of them: without secrets. */
  describeSettings: (salt: string) => SettingsRecord;
  /** Minute of the day, for the maintenance window. */
  minuteOfDay: (date: Date) => number;
  notify: NotifySettings;
  auditing: AuditSettings;
  /** Feeds that say which vulnerabilities are exploited. */
  exploitedFeeds: ReadonlySet<string>;
  /** Feeds that are Debian's tracker, whatever they are called. */
  trackerFeeds: ReadonlySet<string>;
  logger: Logger;
  /** This process alone can reach the store: no lease of a dead one need be waited for. */
  seizeLease: boolean;
  signal: AbortSignal;
}

export interface Server {
  coordinator: Coordinator;
  hostKeys: HostKeys;
  moment: () => Moment;
  queues: () => Promise<QueueCounts[]>;
  audit: (filter: AuditFilter) => Promise<AuditRow[]>;
  auditTrail: Pick<KeptAudit, 'bundle' | 'keys'>;
  meanRestartMs: (service: string) => number;
  /** What advisories mean for the fleet. */
  advisories: Pick<FollowedAdvisories, 'matcher' | 'wake'>;
  /** Have this done whenever hosts have reported their packages, or are forgotten. */
  onInventories: (tell: () => void) => void;
  /** Tell operators of something that is no wave's. */
  alert: (text: string) => void;
  /** How Redis is, and what is wrong with it now. */
  redis: Pick<RedisWatch, 'state' | 'works' | 'kinds' | 'alerts'>;
  /** Messages that were refused lately. */
  refusedAlerts: () => StandingAlert[];
  /** Whether its lease is in force: else it decides nothing (R12). */
  leads: () => boolean;
  /** Record a change of a host's keys, which are no part of the fleet's state. */
  changedKeys: (actor: string, hostId: string, what: string) => Promise<Answer>;
  /** Make a host's user of Redis (ACL SETUSER); answers what a person has still to do. */
  makeRedisUser: (hostId: string, passwordSha256: string) => Promise<MadeUser>;
  /** Record that an operator takes what a feed holds back. */
  acceptedFeed: (actor: string, feed: string, details: AuditDetails) => Promise<void>;
  /** Take what Redis holds for a host away, where it answers, and forget its packages. */
  forgetHost: (hostId: string) => Promise<void>;
  /** Resolves when another server has taken over: this process must begin anew. */
  lost: Promise<void>;
  stop: () => Promise<void>;
}
