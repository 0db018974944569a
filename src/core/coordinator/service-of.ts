import type { ServiceSettings } from '../service-settings.ts';

const globMatches = (glob: string, text: string): boolean =>
  new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
  ).test(text);

/** R18: the service that claims a container; one that nobody claims belongs to `<host>/unassigned`. */
export const serviceOf = (
  services: ServiceSettings[],
  container: { host: string; container: string; groups: string[] },
): string =>
  services.find(({ match }) =>
    match.some(
      (rule) =>
        (rule.host === undefined || globMatches(rule.host, container.host)) &&
        (rule.container === undefined || globMatches(rule.container, container.container)) &&
        (rule.group === undefined || container.groups.includes(rule.group)),
    ),
  )?.name ?? `${container.host}/unassigned`;
