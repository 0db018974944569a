import type { AuditRow } from '../src/core/coordinator/api-rows.ts';
import type { ServiceSummary, WaveSummary } from '../src/core/coordinator/explain.ts';
import { auditLine } from '../src/cli/look.ts';
import { countOf, formatTable } from '../src/cli/print.ts';
import { shortIds } from '../src/cli/short-ids.ts';
import type { LoadReport } from '../test/bed/load.ts';
import type { Scene } from '../test/bed/scene.ts';
import type { AvailabilityReport } from '../test/bed/watch-availability.ts';

export interface Outcome {
  wave: WaveSummary;
  tookMs: number;
  /** Containers that ran the old library after the upgrade. */
  stale: number;
  /** Containers that answer with the fixed version afterwards. */
  patched: number;
  fixed: string;
  /** As HAProxy saw it, and the clients: not our own numbers. */
  availability: AvailabilityReport;
  report: Record<string, LoadReport>;
}

const auditShown = 6;

/** The time of day alone, and ids cut, so that a line fits into a terminal. */
const shortAuditLine = (row: AuditRow): string[] => {
  const [at = '', record = '', actor = '', action = '', subject = '', ...rest] = auditLine(row);
  const time = at.slice(at.indexOf('T') + 1).replace('Z', '');
  return [
    time,
    record,
    actor,
    action,
    shortIds(subject),
    rest.filter((text) => text !== '').join(': '),
  ];
};

/** Says what came out, and answers how many requests failed. */
export const showSummary = async (
  scene: Scene,
  outcome: Outcome,
  write: (line: string) => void,
): Promise<number> => {
  const { wave, tookMs, stale, patched, fixed, availability, report } = outcome;
  const all = [...scene.containers.values()].flat().length;
  const services = (await scene.get('/v1/services')) as ServiceSummary[];
  const floorOf = (name: string): string =>
    String(services.find((service) => service.name === name)?.floor ?? '?');
  write(`\nSummary after ${(tookMs / 1000).toFixed(1)} s:`);
  write(
    `  ${stale} ran the old library, ${wave.counts['verified'] ?? 0} were restarted and verified, ${patched} of ${all} answer with\n  ${fixed}.`,
  );
  const rows = [...scene.containers].map(([name, members]) => {
    const seen = report[name];
    return [
      name,
      String(members.length),
      floorOf(name),
      String(availability.lowest[name] ?? '?'),
      String((seen?.ok ?? 0) + (seen?.failed ?? 0)),
      String(seen?.failed ?? 0),
    ];
  });
  write('');
  write(formatTable(['service', 'containers', 'floor', 'lowest', 'requests', 'failed'], rows));
  write(
    `(lowest: the fewest that HAProxy had up at once, in ${countOf(availability.samples, 'look')})`,
  );
  const trail = (await scene.get(`/v1/audit?limit=${auditShown}`)) as AuditRow[];
  write('\nThe last lines of the audit trail (groundswell audit list):');
  write(
    formatTable(
      ['at', 'record', 'actor', 'action', 'subject', 'outcome'],
      trail.map(shortAuditLine).sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    ),
  );
  return Object.values(report).reduce((sum, { failed }) => sum + failed, 0);
};
