import type { AuditRow } from '../core/coordinator/api-rows.ts';
import { printable } from '../core/printable.ts';
import { formatTable } from './print.ts';

const text = (value: unknown): string =>
  typeof value === 'string'
    ? printable(value)
    : value === null || value === undefined
      ? ''
      : printable(JSON.stringify(value));

/** One audit record a line: when, who, what, whom, outcome, why. */
export const auditLine = ({ chain, seq, record, proven }: AuditRow): string[] => {
  const details = record['details'] as Record<string, unknown> | undefined;
  return [
    text(record['at']),
    `${chain}#${seq}${proven ? '' : '?'}`,
    text(record['actor']),
    text(record['action']),
    text(record['subject'] ?? record['container']),
    text(record['outcome']),
    text(details?.['reason'] ?? details?.['why'] ?? details?.['summary']),
  ];
};

export const auditHeadings = ['at', 'record', 'actor', 'action', 'subject', 'outcome', 'why'];

/** For a terminal: to the second, the day in the heading where there is but one, outcome and why together. */
export const auditTable = (lines: string[][]): string => {
  const days = new Set(lines.map(([at = '']) => at.slice(0, 10)));
  const [day = 'at'] = days;
  return formatTable(
    [days.size === 1 ? day : 'at', ...auditHeadings.slice(1, -1)],
    lines.map(([at = '', record = '', actor = '', action = '', subject = '', ...rest]) => [
      days.size === 1 ? at.slice(11, 19) : at.slice(0, 19).replace('T', ' '),
      ...[record, actor, action, subject],
      rest.filter((each) => each !== '').join(': '),
    ]),
  );
};
