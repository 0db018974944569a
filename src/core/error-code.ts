/**
 * Whether an error carries a system or SQLite code such as `ENOENT`. By shape: errors of Node's own modules are
 * no `instanceof Error` in another realm, which a test is.
 */
export const hasCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;
