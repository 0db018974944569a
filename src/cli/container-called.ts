import { ApiError } from '../api/client.ts';

/** The container of that id, or of that name where only one host has it. Throws with the choice, or where to look. */
export const containerCalled = <T extends { container: string }>(
  all: readonly T[],
  what: string,
): T => {
  const found = all.filter(({ container }) => container === what || container.endsWith(`/${what}`));
  const [first] = found;
  if (first === undefined)
    throw new ApiError(`nothing is called ${what}; see: groundswell containers`, null);
  if (found.length > 1)
    throw new ApiError(
      `${what} is on several hosts: ${found.map(({ container }) => container).join(', ')}`,
      null,
    );
  return first;
};
