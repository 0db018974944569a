import { hasCode } from '../../src/core/error-code.ts';

const EXIT_STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 } as const;
type Interrupt = keyof typeof EXIT_STATUS;
const INTERRUPTS: readonly Interrupt[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * On Ctrl-C, SIGTERM or SIGHUP, and where nobody reads any more what is written (`| head`): runs `cleanUp` once and ends
 * the process as that signal would.
 * Further signals meanwhile are only reported, so that an impatient second Ctrl-C leaves nothing
 * behind; and what the clean-up makes fail in the caller's own work does not end the process before
 * its time. Answers a function that takes the handlers away again. No use within Jest, whose
 * tests get a `process` that hears no signals: see clean-abandoned.ts.
 */
export const onInterrupt = (
  cleanUp: () => Promise<void>,
  report: (line: string) => void = () => undefined,
): (() => void) => {
  let cleaning = false;
  const handle = (signal: Interrupt): void => {
    if (cleaning) {
      report('still cleaning up, a moment');
      return;
    }
    cleaning = true;
    // Nobody would read it, and saying so would be the next error.
    if (signal === 'SIGPIPE') report = () => undefined;
    process.on('uncaughtException', () => undefined);
    report(`${signal}: cleaning up`);
    cleanUp().then(
      () => process.exit(EXIT_STATUS[signal]),
      (error: unknown) => {
        report(`cleaning up failed: ${error instanceof Error ? error.message : String(error)}`);
        process.exit(1);
      },
    );
  };
  // Node.js hears no SIGPIPE: the stream tells. Without a listener it would end the process at once.
  const onError = (error: unknown): void => {
    if (!hasCode(error, 'EPIPE')) throw error;
    if (!cleaning) handle('SIGPIPE');
  };
  const streams = [process.stdout, process.stderr];
  for (const stream of streams) stream.on('error', onError);
  for (const signal of INTERRUPTS) process.on(signal, handle);
  return () => {
    for (const stream of streams) stream.off('error', onError);
    for (const signal of INTERRUPTS) process.off(signal, handle);
  };
};
