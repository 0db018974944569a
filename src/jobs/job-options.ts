import type { JobsOptions } from 'bullmq';
import { maxJobBytes, maxReportBytes } from './envelope.ts';

/**
 * Jobs to agents and to the matcher. One attempt: what fails in the domain is reported, and the job
 * completes. Completed ones stay for a day, so that putting one in again changes nothing.
 */
export const jobOptions: JobsOptions = {
  attempts: 1,
  removeOnComplete: { age: 86_400, count: 200 },
  removeOnFail: { age: 604_800, count: 200 },
  sizeLimit: maxJobBytes,
};

/** Reports: soon replaced by newer ones, and each sending has a new id (R8). */
export const reportOptions: JobsOptions = {
  attempts: 1,
  removeOnComplete: { count: 1000 },
  removeOnFail: { age: 604_800, count: 1000 },
  sizeLimit: maxReportBytes,
};
