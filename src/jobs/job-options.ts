import type { JobsOptions, KeepJobs } from 'bullmq';
import { maxJobBytes, maxReportBytes } from './envelope.ts';

/** How long jobs that are over stay in Redis. */
interface Kept {
  removeOnComplete: KeepJobs;
  removeOnFail: KeepJobs;
}

export const jobsKept: Kept = {
  removeOnComplete: { age: 86_400, count: 200 },
  removeOnFail: { age: 604_800, count: 200 },
};

export const reportsKept: Kept = {
  removeOnComplete: { count: 1000 },
  removeOnFail: { age: 604_800, count: 1000 },
};

/** None: to put the same advisory in once more must have an effect once it is over. */
export const advisoriesKept: Kept = {
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
};

/**
 * Jobs to agents and to the matcher. One attempt: what fails in the domain is reported, and the job
 * completes. Completed ones stay for a day, so that putting one in again changes nothing.
 */
export const jobOptions: JobsOptions = {
  attempts: 1,
  ...jobsKept,
  sizeLimit: maxJobBytes,
};

/** Reports: soon replaced by newer ones, and each sending has a new id (R8). */
export const reportOptions: JobsOptions = {
  attempts: 1,
  ...reportsKept,
  sizeLimit: maxReportBytes,
};
