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

const wholeNumber = (text: string | undefined, column: string, line: string): number => {
  if (text === undefined || !/^\d+$/.test(text))
    throw new Error(`column ${column} is no number in "${line.slice(0, 120)}"`);
  return Number(text);
};

/** The columns that a header line names; throws where one of `wanted` is missing. */
const columnsOf = <Name extends string>(
  names: string[],
  wanted: readonly Name[],
): Record<Name, number> => {
  const entries = wanted.map((name): [Name, number] => {
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`there is no column ${name}`);
    return [name, index];
  });
  return Object.fromEntries(entries) as Record<Name, number>;
};

const STATE_COLUMNS = ['be_id', 'be_name', 'srv_id', 'srv_name', 'srv_admin_state'] as const;

/** Throws when `text` is not an answer of `show servers state` in version 1. */
export const parseServersState = (text: string): ServerState[] => {
  const [version, header = '', ...lines] = text.split('\n');
  if (version?.trim() !== '1')
    throw new Error(`not an answer of show servers state: ${text.trim().slice(0, 120)}`);
  const columns = columnsOf(header.replace(/^# /, '').trim().split(' '), STATE_COLUMNS);
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const fields = line.split(' ');
      return {
        backendId: wholeNumber(fields[columns.be_id], 'be_id', line),
        backend: fields[columns.be_name] ?? '',
        serverId: wholeNumber(fields[columns.srv_id], 'srv_id', line),
        server: fields[columns.srv_name] ?? '',
        admin: wholeNumber(fields[columns.srv_admin_state], 'srv_admin_state', line),
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
  const [header = '', ...lines] = text.trim().split('\n');
  if (!header.startsWith('# '))
    throw new Error(`not an answer of show stat: ${text.trim().slice(0, 120)}`);
  const columns = columnsOf(splitCsvLine(header.slice(2)), STAT_COLUMNS);
  return lines.map((line) => {
    const fields = splitCsvLine(line);
    return {
      backend: fields[columns.pxname] ?? '',
      server: fields[columns.svname] ?? '',
      status: fields[columns.status] ?? '',
      sessions: wholeNumber(fields[columns.scur], 'scur', line),
      queued: wholeNumber(fields[columns.qcur], 'qcur', line),
    };
  });
};
