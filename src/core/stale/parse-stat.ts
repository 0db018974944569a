/** What the scan needs of /proc/PID/stat, proc_pid_stat(5). */
export interface ProcessStatus {
  command: string;
  /** State letter; Z is a zombie, or a process whose main thread has ended. */
  state: string;
  parent: number;
  /** A thread of the kernel: it has no memory of its own. */
  kernelThread: boolean;
  /** It is ending: its memory is given back already or about to be. */
  exiting: boolean;
  /** Field 22: clock ticks since boot, as text. */
  startTime: string;
}

const PF_EXITING = 0x4;
const PF_KTHREAD = 0x200000;

/** A pid, or 32 flags; ticks since boot may be more. */
const NUMBER = /^\d{1,10}$/;
const TICKS = /^\d{1,20}$/;

/** Those after the command, of which the first is number 3. */
const fieldsAfter = (text: string, close: number): string[] =>
  text
    .slice(close + 2)
    .trim()
    .split(' ');

/**
 * Names what a process runs, by its /proc/PID/stat: it stays the same until the process ends or executes
 * another program, whose arguments then lie elsewhere (fields 48 and 49). Null when the text is cut.
 */
export const imageOf = (text: string): string | null => {
  const close = text.lastIndexOf(')');
  const fields = close < 0 ? [] : fieldsAfter(text, close);
  const startTime = fields[19];
  return startTime === undefined ? null : `${startTime} ${fields[45] ?? ''}-${fields[46] ?? ''}`;
};

/**
 * The fields of a /proc/PID/stat text; null when it is cut, or is none. The command stands in parentheses and
 * may itself hold blanks, parentheses and newlines, so the rest begins after the last one.
 */
export const parseStatus = (text: string): ProcessStatus | null => {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const fields = fieldsAfter(text, close);
  const [state = '', parent = '', flags = '', startTime = ''] = [
    fields[0],
    fields[1],
    fields[6],
    fields[19],
  ];
  if (!/^[A-Za-z]$/.test(state) || !NUMBER.test(parent) || !NUMBER.test(flags)) return null;
  if (!TICKS.test(startTime)) return null;
  const bits = Number(flags);
  return {
    command: text.slice(open + 1, close),
    state,
    parent: Number(parent),
    kernelThread: (bits & PF_KTHREAD) !== 0,
    exiting: (bits & PF_EXITING) !== 0,
    startTime,
  };
};
