const EXIT_STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Interrupt = keyof typeof EXIT_STATUS;
const INTERRUPTS: readonly Interrupt[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * On Ctrl-C, SIGTERM or SIGHUP: runs `cleanUp` once and ends the process as that signal would.
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
  for (const signal of INTERRUPTS) process.on(signal, handle);
  return () => {
    for (const signal of INTERRUPTS) process.off(signal, handle);
  };
};
