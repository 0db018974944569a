import { Unreadable } from '../../core/unreadable.ts';

/** A server's line of `show servers state` (HAProxy management guide, 9.3), as far as we need it. */
export interface ServerState {
  backendId: number;
  backend: string;
  serverId: number;
  server: string;
  /** Bits of `srv_admin_state`, see `adminKind`. */
  admin: number;
}

/** A server's line of `show stat` (management guide, 9.1), as far as we need it. */
export interface ServerStat {
  backend: string;
  server: string;
  status: string;
  /** Sessions in progress. */
  sessions: number;
  /** Requests that wait for this very server. */
  queued: number;
}

/**
 * FMAINT (set on the runtime API), IMAINT (inherited from a tracked server), RMAINT (its name does
 * not resolve) and HMAINT (its host name is empty). CMAINT (0x04) only remembers that the configuration file said
 * `disabled` and stays set when the server was enabled since.
 */
const MAINT_BITS = 0x01 | 0x02 | 0x20 | 0x40;
const DRAIN_BITS = 0x08 | 0x10;

/** Whether somebody has taken the server out of service, and how. */
export const adminKind = (admin: number): 'ready' | 'maint' | 'drain' =>
  (admin & MAINT_BITS) !== 0 ? 'maint' : (admin & DRAIN_BITS) !== 0 ? 'drain' : 'ready';

/** Which command it answers, for errors. */
type Command = 'show servers state' | 'show stat';

const unreadable = (command: Command, found: string, remedy: string): Unreadable =>
  new Unreadable(`answer to ${command}`, found, remedy);

const notAnAnswer = (command: Command, text: string): Unreadable =>
  unreadable(
    command,
    text.trim(),
    'want what the runtime API of HAProxy answers: is this its `stats socket`?',
  );

/** Far more than there are sessions, and no more than a number holds exactly. */
const WHOLE_NUMBER = /^\d{1,15}$/;

const wholeNumber = (
  text: string | undefined,
  column: string,
  { command, line }: { command: Command; line: string },
): number => {
  if (text === undefined || !WHOLE_NUMBER.test(text))
    throw unreadable(command, line, `want a number in column ${column}`);
  return Number(text);
};

/** The columns that a header line names; throws where one of `wanted` is missing. */
const columnsOf = <Name extends string>(
  names: string[],
  wanted: readonly Name[],
  command: Command,
): Record<Name, number> => {
  const entries = wanted.map((name): [Name, number] => {
    const index = names.indexOf(name);
    if (index < 0) throw unreadable(command, names.join(' '), `want a column ${name}`);
    return [name, index];
  });
  return Object.fromEntries(entries) as Record<Name, number>;
};

const STATE_COLUMNS = ['be_id', 'be_name', 'srv_id', 'srv_name', 'srv_admin_state'] as const;

/** Throws when `text` is not an answer of `show servers state` in version 1. */
export const parseServersState = (text: string): ServerState[] => {
  const command = 'show servers state';
  const [version, header = '', ...lines] = text.split('\n');
  if (version?.trim() !== '1') throw notAnAnswer(command, text);
  const columns = columnsOf(header.replace(/^# /, '').trim().split(' '), STATE_COLUMNS, command);
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const fields = line.split(' ');
      const at = { command, line } as const;
      return {
        backendId: wholeNumber(fields[columns.be_id], 'be_id', at),
        backend: fields[columns.be_name] ?? '',
        serverId: wholeNumber(fields[columns.srv_id], 'srv_id', at),
        server: fields[columns.srv_name] ?? '',
        admin: wholeNumber(fields[columns.srv_admin_state], 'srv_admin_state', at),
      };
    });
};

/** Fields of one line of CSV; a quoted field doubles its quotes (RFC 4180). */
export const splitCsvLine = (line: string): string[] => {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    const sign = line.charAt(at);
    if (quoted && sign === '"' && line[at + 1] === '"') {
      field += '"';
      at++;
    } else if (sign === '"' && (quoted || field === '')) quoted = !quoted;
    else if (sign === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += sign;
  }
  return [...fields, field];
};

const STAT_COLUMNS = ['pxname', 'svname', 'qcur', 'scur', 'status'] as const;

/** Throws when `text` is not the CSV of `show stat`. */
export const parseStat = (text: string): ServerStat[] => {
  const command = 'show stat';
  const [header = '', ...lines] = text.trim().split('\n');
  if (!header.startsWith('# ')) throw notAnAnswer(command, text);
  const columns = columnsOf(splitCsvLine(header.slice(2)), STAT_COLUMNS, command);
  return lines.map((line) => {
    const fields = splitCsvLine(line);
    const at = { command, line } as const;
    return {
      backend: fields[columns.pxname] ?? '',
      server: fields[columns.svname] ?? '',
      status: fields[columns.status] ?? '',
      sessions: wholeNumber(fields[columns.scur], 'scur', at),
      queued: wholeNumber(fields[columns.qcur], 'qcur', at),
    };
  });
};
