const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

const pathOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'path' in error ? String(error.path) : '';

/**
 * What the system denied somebody who is not root, and how to go on; null: it was something else. Most of
 * what is Groundswell's on a host belongs to root alone.
 */
export const deniedText = (error: unknown, isRoot: boolean): string | null => {
  const code = codeOf(error);
  if (isRoot || (code !== 'EACCES' && code !== 'EPERM')) return null;
  const path = pathOf(error);
  return `this needs root${path === '' ? '' : `: ${path} is closed to others`}. Run it again with sudo`;
};
