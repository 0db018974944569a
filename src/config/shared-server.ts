import type { ConfiguredService } from './schema.ts';

type Rule = ConfiguredService['match'][number];

const isOne = (name: string | undefined): name is string =>
  name !== undefined && !/[*?]/.test(name);

const mayBeOneHost = (a: Rule, b: Rule): boolean =>
  !isOne(a.host) || !isOne(b.host) || a.host === b.host;

/** Whether a host may have more than one container of these: each host has its own drain. */
const mayBeSeveral = (match: readonly Rule[]): boolean =>
  match.some(
    (rule) =>
      !isOne(rule.container) ||
      match.some((other) => other.container !== rule.container && mayBeOneHost(rule, other)),
  );

/** Why the drain of one container of a service would take others out of HAProxy, too; null: it takes that one alone. */
export const sharedServer = ({ name, match, haproxy }: ConfiguredService): string | null =>
  haproxy === undefined ||
  /\{(name|address)\}/.test(`${haproxy.backend} ${haproxy.server}`) ||
  !mayBeSeveral(match)
    ? null
    : `"${haproxy.server}" is one server of HAProxy for each container of service ${name}: draining one takes the others out. Put {name} into it, or let \`match\` name one container`;
