import { beginningOf } from '../../core/beginning-of.ts';
import { longestProblem } from '../../core/messages.ts';
import type { PackageWork } from '../../host/packages/work-in-progress.ts';

/** A package transaction, or a script of it, that is at work for so long may hang: people are told. */
export const longTransactionMs = 600_000;

const minute = (wallMs: number): string =>
  `${new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const textOf = ({ command, pid, script }: PackageWork): string => {
  const who = `${command === '' ? 'a process' : command} (pid ${pid})`;
  const [where, end] =
    script === null
      ? ['', 'see what it waits for']
      : [
          `, since ${minute(script.beganAtMs)} in ${script.what} (pid ${script.pid})`,
          `see what that waits for, and end it (kill ${script.pid}), so that the package manager goes on and tells of it`,
        ];
  const text = `the package manager has been at work for more than ${longTransactionMs / 60_000} min: ${who}${where}. Nothing is restarted on this host until it is over, and Groundswell does not end it; if it hangs, ${end} (ps -ef --forest shows it)`;
  return beginningOf(text, longestProblem);
};

/**
 * Watches how long packages are being changed, by whomever: each look answers what people are to be told, or null. The text stays the same
 * for as long as the same process is in the same script.
 */
export const watchTransaction = ({
  atWork,
  monoMs,
  wallMs,
}: {
  atWork: () => PackageWork | null;
  monoMs: () => number;
  wallMs: () => number;
}): ((atRest: boolean) => string | null) => {
  let begun: { pid: number; atMs: number } | null = null;
  let told = { of: '', text: '' };
  return (atRest) => {
    const work = atRest ? null : atWork();
    if (work === null) {
      begun = null;
      return null;
    }
    if (begun?.pid !== work.pid) begun = { pid: work.pid, atMs: monoMs() };
    const inScript = work.script === null ? 0 : wallMs() - work.script.beganAtMs;
    if (Math.max(inScript, monoMs() - begun.atMs) < longTransactionMs) return null;
    const of = `${work.pid} ${work.script?.pid ?? ''}`;
    // When a process began is worked out anew with each look, and may come out a little different.
    if (told.of !== of) told = { of, text: textOf(work) };
    return told.text;
  };
};
