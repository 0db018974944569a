import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';

/** What a host must still be able to do after a package transaction, if it could before. */
export interface HostAbilities {
  /** There is a default route. */
  network: boolean;
  /** The configured resolver answers. */
  dns: boolean;
}

const dnsTimeoutMs = 1_000;

/** From /proc/net/route (proc(5)): a route to 0.0.0.0/0 that is up. */
export const hasDefaultRoute = (routes: string): boolean =>
  routes
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .some(
      ([, destination, , flags, , , , mask]) =>
        destination === '00000000' &&
        mask === '00000000' &&
        (Number.parseInt(flags ?? '0', 16) & 1) === 1,
    );

/** The root's name servers are asked for: every resolver knows them. */
const resolverAnswers = (): Promise<boolean> =>
  new Resolver({ timeout: dnsTimeoutMs, tries: 1 }).resolveNs('.').then(
    () => true,
    () => false,
  );

/** Look what the host can do now. The resolver is not asked where its answer would not matter. */
export const readAbilities = async ({ dns }: { dns: boolean }): Promise<HostAbilities> => {
  const [routes, answers] = await Promise.all([
    readFile('/proc/net/route', 'utf8').catch(() => ''),
    dns ? resolverAnswers() : false,
  ]);
  return { network: hasDefaultRoute(routes), dns: answers };
};

/** What worked before and does not now; null: all of it does. What did not work before is not asked for. */
export const lostAbilities = (
  before: HostAbilities | null,
  after: HostAbilities,
): string | null => {
  const lost = [
    before?.network === true && !after.network ? 'the default route is gone' : null,
    before?.dns === true && !after.dns ? 'the DNS resolver does not answer any more' : null,
  ].filter((reason) => reason !== null);
  return lost.length === 0 ? null : lost.join('; ');
};
