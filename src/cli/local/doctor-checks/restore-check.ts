import { isForRestore } from '../../../core/coordinator/standing-alerts.ts';
import type { StatusView } from '../../views.ts';
import { fail, ok, warn } from '../doctor.ts';
import type { DoctorCheck } from '../doctor.ts';

/** What restores have left in the data directory. */
export interface RestoreLeftovers {
  /** One was broken off, and what to do about it; null: none was. */
  underWay: { what: string; remedy: string } | null;
  /** Of one that was broken off before it changed anything; null: nothing. */
  staging: string | null;
  /** What was there before a restore. */
  aside: readonly string[];
}

export interface RestoreCheckOptions {
  leftovers: () => Promise<RestoreLeftovers>;
  /** Of the server on this machine; rejects where none answers. */
  askPauses: () => Promise<StatusView['pauses']>;
}

/** Whether a restore of the server's store waits for somebody. */
export const restoreCheck = ({ leftovers, askPauses }: RestoreCheckOptions): DoctorCheck => ({
  name: 'restore',
  afterSetup: true,
  run: async () => {
    const { underWay, staging, aside } = await leftovers();
    if (underWay !== null) return [fail(underWay.what, underWay.remedy)];
    const pauses = (await askPauses().catch(() => [])).filter(isForRestore);
    const findings = [
      ...pauses.map(({ reason, state, waitsFor }) =>
        warn(
          `the fleet is ${state}: ${reason}`,
          state === 'paused'
            ? 'look at groundswell status and groundswell waves, then groundswell resume'
            : `wait for ${waitsFor.slice(0, 3).join(', ')}; see: groundswell status`,
        ),
      ),
      ...(staging === null
        ? []
        : [
            warn(
              `${staging} is left by a restore that was broken off before it changed anything`,
              `rm -r ${staging}`,
            ),
          ]),
      ...(aside.length === 0
        ? []
        : [
            warn(
              `what was there before a restore is kept: ${aside.join(', ')}`,
              'remove it when the restored server has proved itself',
            ),
          ]),
    ];
    return findings.length > 0 ? findings : [ok('no restore waits for anybody')];
  },
});
