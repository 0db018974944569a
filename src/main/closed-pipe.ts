/** As a shell has it for what a signal has ended: 128, and 13 for SIGPIPE, which Node.js ignores. */
const byBrokenPipe = 141;

/**
 * Whoever reads the output may have enough of it (`head`, a pager): then this ends, as any program of Unix does, and says
 * nothing. Other errors of a stream are thrown, as without this.
 */
export const endQuietlyWithReader = (
  streams: readonly NodeJS.WriteStream[],
  exit: (code: number) => void,
): void => {
  for (const stream of streams)
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      exit(byBrokenPipe);
    });
};
