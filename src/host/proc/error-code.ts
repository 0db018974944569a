import { errorText } from '../../core/error-text.ts';

/** The system's word for an error, such as `EPERM`; null for errors without one. */
export const codeOf = (error: unknown): string | null =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;

/** Errors that say that a process has ended meanwhile: it is gone, not unreadable. */
export const isGone = (error: unknown): boolean =>
  ['ENOENT', 'ESRCH'].includes(codeOf(error) ?? '');

/** Errors that say that a path leads to nothing: through no directory, or through a link. */
export const leadsNowhere = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error) ?? '');

/** Why something could not be read, in the system's own word where it has one. */
export const reasonOf = (error: unknown): string => codeOf(error) ?? errorText(error);
