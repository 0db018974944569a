import type { AuditRow } from '../src/core/coordinator/api-rows.ts';
import type { ServiceSummary, WaveSummary } from '../src/core/coordinator/explain.ts';
import { auditLine } from '../src/cli/audit-text.ts';
import { wrapIndented } from '../src/cli/fit.ts';
import { countOf, formatTable, terminalWidth } from '../src/cli/print.ts';
import { shortIds } from '../src/cli/short-ids.ts';
import type { ContainerLine } from '../src/cli/views.ts';
import type { LoadReport } from '../test/bed/load.ts';
import type { Scene } from '../test/bed/scene.ts';
import type { AvailabilityReport } from '../test/bed/watch-availability.ts';

export interface Outcome {
  wave: WaveSummary;
  tookMs: number;
  /** Containers that ran the old library after the upgrade, each with what of it did. */
  stale: readonly ContainerLine[];
  /** What that was, such as `the old library`. */
  old: string;
  /** Containers that answer with the fixed version afterwards. */
  patched: number;
  fixed: string;
  /** As HAProxy saw it, and as each container answered to an outsider: not our own numbers. */
  seen: { byHaproxy: AvailabilityReport; byAsking: AvailabilityReport };
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

/** Each service's processes of before, once each, so that a reader can see that they are gone. */
const oldProcesses = (stale: readonly ContainerLine[], service: string): string => {
  const named = stale
    .filter((one) => one.service === service)
    .flatMap(({ container, stale: why }) =>
      why.map((text) => {
        const what = /^process (\d+)/.exec(text)?.[1] ?? text.replace(/ maps .*$/, '');
        return `${what} (${container.split('/')[1] ?? container})`;
      }),
    );
  return [...new Set(named)].join(', ');
};

/** Says what came out; answers how many requests failed, and which services were below their floor. */
export const showSummary = async (
  scene: Scene,
  outcome: Outcome,
  write: (line: string) => void,
): Promise<{ failed: number; below: string[] }> => {
  const { wave, tookMs, stale, old, patched, fixed, seen: watched, report } = outcome;
  const all = [...scene.containers.values()].flat().length;
  const services = (await scene.get('/v1/services')) as ServiceSummary[];
  const floorOf = (name: string): number =>
    services.find((service) => service.name === name)?.floor ?? 0;
  const lowestOf = (by: AvailabilityReport, name: string): number => by.lowest[name] ?? 0;
  write(`\nSummary after ${(tookMs / 1000).toFixed(1)} s:`);
  write(
    `  ${stale.length} ran ${old}, ${wave.counts['verified'] ?? 0} were restarted and verified, ${patched} of ${all} answer with\n  ${fixed}.`,
  );
  if (stale.length > 0) write('Processes that ran it, now gone:');
  for (const name of new Set(stale.map(({ service }) => service)))
    write(wrapIndented(`${name}: ${oldProcesses(stale, name)}`, terminalWidth(), '  ', '    '));
  const rows = [...scene.containers].map(([name, members]) => {
    const seen = report[name];
    return [
      name,
      String(members.length),
      String(floorOf(name)),
      String(lowestOf(watched.byHaproxy, name)),
      String(lowestOf(watched.byAsking, name)),
      String((seen?.ok ?? 0) + (seen?.failed ?? 0)),
      String(seen?.failed ?? 0),
    ];
  });
  write('');
  write(
    formatTable(['service', 'containers', 'floor', 'up', 'answered', 'requests', 'failed'], rows),
  );
  write(
    `(the fewest at once: up in HAProxy, in ${countOf(watched.byHaproxy.samples, 'look')}; answered when all were asked, in ${watched.byAsking.samples})`,
  );
  const trail = (await scene.get(`/v1/audit?limit=${auditShown}`)) as AuditRow[];
  write('\nThe last lines of the audit trail (groundswell audit list):');
  write(
    formatTable(
      ['at', 'record', 'actor', 'action', 'subject', 'outcome'],
      trail.map(shortAuditLine).sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    ),
  );
  return {
    failed: Object.values(report).reduce((sum, { failed }) => sum + failed, 0),
    below: [...scene.containers.keys()].filter((name) =>
      Object.values(watched).some((by) => lowestOf(by, name) < floorOf(name)),
    ),
  };
};
