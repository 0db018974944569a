import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import { beginningOf } from '../core/beginning-of.ts';
import type { SettingsRecord } from '../core/settings-record.ts';
import type { Configuration } from './schema.ts';
import { hostSettingsOf, serverServices } from './services.ts';

const longestShown = 200;

/** Of argument vectors the program alone is shown: what follows may be a password. */
const commandKeys = new Set(['command', 'beforeStop', 'afterHealthy']);

/** Of addresses the host alone is shown, of paths what is before a query: in the rest secrets are often found. */
const withoutSecrets = (text: string): string => {
  if (/^unix:/.test(text)) return text.replace(/\?.*$/s, '?…');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    if (!URL.canParse(text)) return '…';
    const { protocol, host } = new URL(text);
    return `${protocol}//${host}/…`;
  }
  return text.startsWith('/') ? text.replace(/\?.*$/s, '?…') : text;
};

const shownText = (value: unknown): string =>
  beginningOf(
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'string' ? withoutSecrets(part) : part,
    ),
    longestShown,
  );

const shownOf = (key: string, value: unknown): string | string[] => {
  if (!Array.isArray(value)) return shownText(value);
  const [program, ...rest] = value as unknown[];
  return commandKeys.has(key)
    ? shownText(`${String(program)}${rest.length > 0 ? ' …' : ''}`)
    : value.map(shownText);
};

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Options by their names, such as `waves.maxFailures`. */
const flattened = (value: Record<string, unknown>, above: string): [string, unknown][] =>
  Object.entries(value).flatMap(([key, part]) =>
    part === undefined
      ? []
      : isMapping(part)
        ? flattened(part, `${above}${key}.`)
        : [[`${above}${key}`, part]],
  );

const recordOf = (settings: Record<string, unknown>, salt: string): SettingsRecord => ({
  salt,
  settings: Object.fromEntries(
    flattened(settings, '').map(([name, value]) => [
      name,
      {
        shown: shownOf(name.split('.').at(-1) ?? '', value),
        seal: createHash('sha256')
          .update(`${salt} ${canonicalize(value) ?? ''}`)
          .digest('hex'),
      },
    ]),
  ),
});

/** By name, whatever their order. */
const named = <Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
): Record<string, Omit<Item, 'name'>> =>
  Object.fromEntries(items.map((item) => [nameOf(item), { ...item, name: undefined }]));

/** What the server goes by, as its audit trail tells changes of it: without secrets. */
export const serverSettingsRecord = (config: Configuration, salt: string): SettingsRecord =>
  recordOf(
    {
      ...config,
      // The hosts' own matter, and no decision.
      ...{ optOut: undefined, log: undefined },
      agent: { hostCap: config.agent.hostCap, zone: config.agent.zone },
      services: named(serverServices(config), ({ name }) => name),
      feeds: named(config.feeds, ({ name, source }) => name ?? source),
    },
    salt,
  );

/** What the agent of a host goes by: the host's half of each service, and whom it counts to which. */
export const agentSettingsRecord = (config: Configuration, salt: string): SettingsRecord => {
  const { dataDirectory, redis, optOut } = config;
  const halves = config.services.map(({ name, match }) => ({
    ...{ name, match },
    ...hostSettingsOf(config, name),
  }));
  return recordOf(
    {
      ...{ dataDirectory, redis, optOut },
      agent: { ...config.agent, hostCap: undefined, zone: undefined },
      services: named(halves, ({ name }) => name),
    },
    salt,
  );
};
