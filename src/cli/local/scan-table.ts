import pc from 'picocolors';
import { shadowedText, staleText } from '../../core/stale/verdict.ts';
import type { ScanVerdict } from '../../core/stale/verdict.ts';
import { countOf, formatTable } from '../print.ts';
import type { ScannedContainer, ScanReport } from './scan-report.ts';

type Paint = (text: string) => string;

const paints = (colours: boolean): Record<ScanVerdict | 'strong', Paint> => {
  const { red, yellow, magenta, green, dim, bold } = pc.createColors(colours);
  return {
    ...{ stale: red, shadowed: magenta, unknown: yellow, current: green },
    ...{ 'not running': dim, strong: bold },
  };
};

const order: Record<ScanVerdict, number> = {
  ...{ stale: 0, shadowed: 1, unknown: 2, current: 3 },
  'not running': 4,
};

/** Control characters in names that a container chose must not reach the terminal. */
const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));

/** Some names of many. */
const someOf = (names: readonly string[]): string =>
  names.length <= 6
    ? names.join(', ')
    : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;

const details = ({ name, stale, shadowed, unreadable }: ScannedContainer): string[] => [
  name,
  ...stale.map((one) => `  ${staleText(one)}`),
  ...shadowed.map((one) => `  ${shadowedText(one)}`),
  ...unreadable.map(({ what, reason }) => `  cannot read ${what}: ${reason}`),
];

const containersTable = (report: ScanReport, paint: ReturnType<typeof paints>): string =>
  formatTable(
    ['container', 'service', 'state', 'verdict', 'why'],
    [...report.containers]
      .sort((a, b) => order[a.verdict] - order[b.verdict] || (a.name < b.name ? -1 : 1))
      .map(({ name, services, state, verdict, why }) => [
        name,
        services.join(', ') || '-',
        state,
        paint[verdict](verdict === 'not running' ? '-' : verdict),
        printable(why),
      ]),
  );

const hostTable = ({ hostProcesses }: ScanReport): string =>
  formatTable(
    ['host process', 'command', 'unit', 'runs files from before the upgrade'],
    hostProcesses.map(({ pid, command, unit, paths }) => [
      String(pid),
      printable(command),
      unit ?? '-',
      printable(
        paths.slice(0, 2).join(', ') + (paths.length > 2 ? ` and ${paths.length - 2} more` : ''),
      ),
    ]),
  );

const summaryLines = (report: ScanReport, paint: ReturnType<typeof paints>): string[] => {
  const { summary, containers, hostProcesses } = report;
  const named = (verdict: ScanVerdict): string =>
    someOf(containers.filter((one) => one.verdict === verdict).map(({ name }) => name));
  const lines: string[] = [];
  if (summary.containers === 0)
    lines.push("No containers on this host's root filesystem were found.");
  else {
    const parts = [
      ...(summary.stale > 0 ? [paint.stale(`${summary.stale} stale`)] : []),
      ...(summary.shadowed > 0 ? [paint.shadowed(`${summary.shadowed} shadowed`)] : []),
      ...(summary.unknown > 0 ? [paint.unknown(`${summary.unknown} unknown`)] : []),
      ...(summary.current > 0 ? [paint.current(`${summary.current} current`)] : []),
      ...(summary.notRunning > 0 ? [`${summary.notRunning} not running`] : []),
    ];
    const processes = containers.reduce((sum, one) => sum + one.processes, 0);
    lines.push(
      `${paint.strong(countOf(summary.containers, 'container'))}: ${parts.join(', ')}. ${countOf(processes, 'process', 'processes')} looked at in ${Math.round(report.tookMs)} ms.`,
    );
  }
  if (summary.stale > 0) lines.push(`A restart brings the patched code to: ${named('stale')}`);
  if (summary.shadowed > 0)
    lines.push(
      'Shadowed files are the owner’s to mend: remove them from the upper layer, or patch them there.',
    );
  if (hostProcesses.length > 0)
    lines.push(
      `${countOf(hostProcesses.length, 'process', 'processes')} of the host itself ${hostProcesses.length === 1 ? 'runs' : 'run'} outdated code.`,
    );
  for (const { what, reason } of report.unreadable)
    lines.push(`Cannot read ${printable(what)}: ${reason}`);
  if (report.others.length > 0)
    lines.push(
      `Left alone, not on the host's root: ${someOf(report.others.map(({ name }) => name))}`,
    );
  return lines;
};

/** The report for people: the table, worst first, then what it means and what to do. */
export const scanText = (
  report: ScanReport,
  options: { verbose: boolean; colours: boolean },
): string => {
  const paint = paints(options.colours);
  const found = report.containers.filter(
    (one) => one.stale.length + one.shadowed.length + one.unreadable.length > 0,
  );
  return [
    ...(report.containers.length === 0 ? [] : [containersTable(report, paint)]),
    ...(options.verbose && found.length > 0
      ? [found.flatMap(details).map(printable).join('\n')]
      : []),
    ...(report.hostProcesses.length === 0 ? [] : [hostTable(report)]),
    summaryLines(report, paint).join('\n'),
  ].join('\n\n');
};
