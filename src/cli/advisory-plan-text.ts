import type { AdvisoryPlan, AdvisoryPlanHost } from '../core/coordinator/plan-advisory.ts';
import { countOf, formatTable } from './print.ts';

const upgradesText = ({ upgrades, along, notOffered }: AdvisoryPlanHost): string =>
  [
    ...upgrades.map(({ package: name, from, to }) => `${name} ${from} -> ${to}`),
    ...along.map((name) => `${name} (comes along)`),
    ...notOffered.map(({ package: name, from }) => `${name} ${from} (no fix in its mirror yet)`),
  ].join(', ');

const containersText = ({ containers }: AdvisoryPlanHost): string => {
  const services = new Map<string, number>();
  for (const { service, impossible } of containers)
    if (impossible === null) services.set(service, (services.get(service) ?? 0) + 1);
  return [...services].map(([service, count]) => `${service} ${count}`).join(', ');
};

/** `groundswell plan --advisory`, for a person. */
export const advisoryPlanText = ({ hosts, atMostMs }: AdvisoryPlan): string => {
  if (hosts.length === 0) return 'no host lacks a fix of it: nothing would be done';
  const count = hosts.flatMap(({ containers }) =>
    containers.filter(({ impossible }) => impossible === null),
  ).length;
  const left = hosts.flatMap(({ containers }) =>
    containers.flatMap(({ container, impossible }) =>
      impossible === null ? [] : [`${container} is left out: ${impossible}`],
    ),
  );
  return [
    formatTable(
      ['host', 'upgrade', 'containers', 'decided'],
      hosts.map((host) => [
        ...[host.host, upgradesText(host), containersText(host), host.decisions.join('; ')],
      ]),
    ),
    '',
    `${countOf(hosts.length, 'host')}, one after another; of ${countOf(count, 'container')} there, those that run code of these packages are restarted: about ${Math.ceil(atMostMs / 1000)} s if all do`,
    ...left,
  ].join('\n');
};
