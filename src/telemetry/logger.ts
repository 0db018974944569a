import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger };

/** One JSON line an event on standard error; systemd's journal keeps it. */
export const createLogger = (level: string, name: string): Logger =>
  pino(
    { level, name, base: { name }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
