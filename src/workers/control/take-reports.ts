import type { Job } from 'bullmq';
import { UnrecoverableError } from 'bullmq';
import { maxReportBytes, serverParty, verifyEnvelope } from '../../jobs/envelope.ts';
import type { Reader } from '../../jobs/envelope.ts';
import { readReport } from '../../jobs/read-report.ts';
import type { Coordinator } from './coordinate.ts';
import type { ReportOrder } from './report-order.ts';

export interface TakeReportsOptions {
  coordinator: Pick<Coordinator, 'submit'>;
  keysOf: Reader['keysOf'];
  order: ReportOrder;
  /** Something that nobody we know signed, or that could not be read (R7): counted, never answered. */
  onRefused: (from: string, reason: string) => void;
}

/**
 * What the worker of the `fleet` queue does with a job: whose is it (R1), what does it say, and is it durable.
 * The job completes once the report is committed (R9); an early or late one completes too, and comes again.
 */
export const takeReport =
  ({ coordinator, keysOf, order, onRefused }: TakeReportsOptions) =>
  async (job: Pick<Job, 'data'>): Promise<void> => {
    const verified = verifyEnvelope(job.data, {
      recipient: serverParty,
      keysOf,
      maxBytes: maxReportBytes,
    });
    if (verified.kind !== 'valid') {
      onRefused('unknown', verified.reason);
      throw new UnrecoverableError(verified.reason);
    }
    const read = readReport(verified.envelope);
    if (read.kind === 'unusable') {
      onRefused(verified.envelope.from, read.reason);
      throw new UnrecoverableError(read.reason);
    }
    const { message } = read;
    await order.turn(message);
    try {
      const durable = coordinator.submit({ kind: 'report', message });
      order.passed(message);
      await durable;
    } catch (error) {
      order.forget(message);
      throw error;
    } finally {
      order.over(message);
    }
  };
