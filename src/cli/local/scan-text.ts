import { printable } from '../../core/printable.ts';
import pc from 'picocolors';
import { shadowedText, staleText } from '../../core/stale/verdict.ts';
import type { ScanVerdict } from '../../core/stale/verdict.ts';
import { wrapIndented } from '../fit.ts';
import { countOf, formatTable } from '../print.ts';
import { oldFormText } from './old-form-text.ts';
import { groupScanned, nameRanges } from './scan-groups.ts';
import type { ScanGroup } from './scan-groups.ts';
import type { ScannedContainer, ScanReport } from './scan-report.ts';

type Paint = (text: string) => string;
type Paints = Record<ScanVerdict | 'strong', Paint>;

export interface ScanTextOptions {
  /** List every process and file. */
  verbose: boolean;
  colours: boolean;
  /** Where containers were looked for. */
  lxcPath: string;
  /** Columns of the terminal; Infinity where nothing is to be wrapped. */
  width: number;
}

const paints = (colours: boolean): Paints => {
  const { red, yellow, magenta, green, dim, bold } = pc.createColors(colours);
  return {
    ...{ stale: red, shadowed: magenta, unknown: yellow, current: green },
    ...{ 'not running': dim, strong: bold },
  };
};

const shownFindings = 4;

const groupLines = ({ findings, members }: ScanGroup, width: number): string[] => {
  const hidden = findings.length - shownFindings;
  const services = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
  const widest = Math.max(...services.map(([service]) => service.length));
  return [
    ...findings.slice(0, shownFindings).map((line) => wrapIndented(printable(line), width, '  ')),
    ...(hidden > 0 ? [`  and ${countOf(hidden, 'file')} more (--verbose)`] : []),
    ...services.map(([service, names]) => {
      const head = service === '' ? '' : `${service.padEnd(widest)}  `;
      const text = `${head}${String(names.length).padStart(3)}: ${nameRanges(names)}`;
      return wrapIndented(text, width, '    ');
    }),
    '',
  ];
};

const part = (
  groups: readonly ScanGroup[],
  heading: string,
  advice: string,
  width: number,
): string[] =>
  groups.length === 0
    ? []
    : [
        wrapIndented(`${heading} ${advice}`, width, '', ''),
        '',
        ...groups.flatMap((group) => groupLines(group, width)),
      ];

const details = ({ name, stale, shadowed, unreadable }: ScannedContainer): string[] => [
  name,
  ...stale.map((one) => `  ${staleText(one)}`),
  ...shadowed.map((one) => `  ${shadowedText(one)}`),
  ...unreadable.map(({ what, reason }) => `  cannot read ${what}: ${reason}`),
];

const hostTable = ({ hostProcesses }: ScanReport, width: number): string =>
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
    width,
  );

const summaryLines = (report: ScanReport, lxcPath: string, paint: Paints): string[] => {
  const { summary, containers, hostProcesses } = report;
  const named = (verdict: ScanVerdict): string =>
    nameRanges(containers.filter((one) => one.verdict === verdict).map(({ name }) => name));
  const lines: string[] = [];
  if (summary.containers === 0)
    lines.push(`No containers on this host's root filesystem were found in ${lxcPath}.`);
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
  if (summary.current > 0) lines.push(`Current: ${named('current')}`);
  if (summary.notRunning > 0) lines.push(`Not running: ${named('not running')}`);
  if (hostProcesses.length > 0)
    lines.push(
      `${countOf(hostProcesses.length, 'process', 'processes')} of the host itself ${hostProcesses.length === 1 ? 'runs' : 'run'} outdated code.`,
    );
  for (const { what, reason } of report.unreadable)
    lines.push(`Cannot read ${printable(what)}: ${reason}`);
  const oldText = oldFormText(report.oldForm);
  if (oldText !== null) lines.push(oldText);
  if (report.others.length > 0)
    lines.push(
      `Left alone, not on the host's root: ${nameRanges(report.others.map(({ name }) => name))}`,
    );
  return lines;
};

/**
 * The report for people: containers of which the same is to be said together, worst first, and what
 * to do; the sum of it last, where a terminal stands.
 */
export const scanText = (report: ScanReport, options: ScanTextOptions): string => {
  const { width, verbose } = options;
  const paint = paints(options.colours);
  const { containers, hostProcesses } = report;
  const oldNames = new Set(report.oldForm.map(({ name }) => name));
  const old = containers.filter(({ name }) => oldNames.has(name));
  const startable = containers.filter(({ name }) => !oldNames.has(name));
  const found = containers.filter(
    (one) => one.stale.length + one.shadowed.length + one.unreadable.length > 0,
  );
  const lines = [
    ...part(
      groupScanned('stale', startable),
      paint.stale('STALE'),
      'These run code from before an upgrade. A restart brings the patched code.',
      width,
    ),
    ...part(
      groupScanned('stale', old),
      paint.stale('STALE, OLD FORM'),
      "These run code from before an upgrade, and today's LXC does not start them again: rewrite their configuration (below) before a restart.",
      width,
    ),
    ...part(
      groupScanned('shadowed', containers),
      paint.shadowed('SHADOWED'),
      'These carry their own version of packaged files. A restart cannot fix that; their owner must remove it from the upper layer, or patch it there.',
      width,
    ),
    ...part(
      groupScanned('unreadable', containers),
      paint.unknown('UNKNOWN'),
      'Of these something could not be read, so nothing is certain.',
      width,
    ),
    ...(verbose && found.length > 0
      ? [...found.flatMap(details).map((line) => wrapIndented(printable(line), width)), '']
      : []),
    ...(hostProcesses.length === 0 ? [] : [hostTable(report, width), '']),
    ...summaryLines(report, options.lxcPath, paint).map((line) =>
      wrapIndented(line, width, '', ''),
    ),
    ...(!verbose && found.length > 0
      ? [wrapIndented('Every process and file: groundswell scan --verbose', width)]
      : []),
  ];
  return lines.join('\n');
};
