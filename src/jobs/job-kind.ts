import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { RecordNumber } from '../core/messages.ts';

/** A contract between two processes: what one file in this folder says about one job. */
export interface JobKind<Payload extends z.ZodType = z.ZodType> {
  name: string;
  /** Raised when the payload's schema changes; a reader refuses versions that it does not know (R6). */
  version: number;
  payload: Payload;
  options: JobsOptions;
}

/** A report's payload: its place in the host's sequence (R8), the record it had heard (R14), and what was acknowledged to it (R16). */
export const reportPayload = <Report extends z.ZodType>(
  report: Report,
): z.ZodObject<
  {
    seq: z.ZodInt;
    echo: typeof RecordNumber;
    acked: z.ZodDefault<z.ZodInt>;
    report: Report;
  },
  z.core.$strict
> =>
  z.strictObject({
    seq: z.int().positive(),
    echo: RecordNumber,
    // Agents of before this field do not tell.
    acked: z.int().min(0).default(0),
    report,
  });
