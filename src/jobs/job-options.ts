import type { JobsOptions, KeepJobs } from 'bullmq';
import { maxJobBytes, maxReportBytes } from './envelope.ts';

/** What a reader of a queue makes of it; what its jobs say of that themselves counts for nothing. */
export interface QueueLimits {
  /** Of a job's data; a longer one comes cut, as text. */
  maxBytes: number;
  /** More jobs than this never wait by our doing; a queue that holds more is emptied. */
  most: number;
  /** How long jobs that are over stay in Redis. */
  keep: { removeOnComplete: KeepJobs; removeOnFail: KeepJobs };
}

export const jobLimits: QueueLimits = {
  maxBytes: maxJobBytes,
  most: 10_000,
  keep: {
    removeOnComplete: { age: 86_400, count: 200 },
    removeOnFail: { age: 604_800, count: 200 },
  },
};

/** Of ten thousand hosts some reports each. While no server takes them they are sent again and again: most are the same. */
export const reportLimits: QueueLimits = {
  maxBytes: maxReportBytes,
  most: 50_000,
  keep: { removeOnComplete: { count: 1000 }, removeOnFail: { age: 604_800, count: 1000 } },
};

/** None is kept: to put the same advisory in once more must have an effect once it is over. */
export const advisoryLimits: QueueLimits = {
  maxBytes: maxJobBytes,
  most: 10_000,
  keep: { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } },
};

/**
 * Jobs to agents and to the matcher. One attempt: what fails in the domain is reported, and the job
 * completes. Completed ones stay for a day, so that putting one in again changes nothing.
 */
export const jobOptions: JobsOptions = {
  attempts: 1,
  ...jobLimits.keep,
  sizeLimit: maxJobBytes,
};

/** Reports: soon replaced by newer ones, and each sending has a new id (R8). */
export const reportOptions: JobsOptions = {
  attempts: 1,
  ...reportLimits.keep,
  sizeLimit: maxReportBytes,
};
