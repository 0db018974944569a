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

/**
 * The containers of the service of that name and those that it and others claim (R18), or the one container that is called so. Throws where it is both:
 * one container and a whole service are not the same wish, and where it is a service, of those named, without containers.
 */
export const calledOrOf = <
  T extends { container: string; service: string; claimants: readonly string[] },
>(
  all: readonly T[],
  what: string,
  services: readonly string[] = [],
): T[] => {
  const members = all.filter(
    ({ service, claimants }) => service === what || claimants.includes(what),
  );
  const called = all.filter(({ container }) => container.endsWith(`/${what}`));
  if (members.length === 0 && called.length === 0 && services.includes(what))
    throw new ApiError(
      `service ${what} has no containers: nothing there can be restarted; see: groundswell services`,
      null,
    );
  if (members.length === 0) return [containerCalled(all, what)];
  if (called.length > 0)
    throw new ApiError(
      `${what} is a service and a container: say ${called.map(({ container }) => container).join(' or ')}, or the names of its members`,
      null,
    );
  return members;
};
