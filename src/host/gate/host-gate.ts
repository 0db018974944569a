import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';

/** What a host must still be able to do after an upgrade. */
export interface HostAbilities {
  /** There is a default route. */
  network: boolean;
  /** The configured resolver answers. */
  dns: boolean;
  /** The container runtime lists its containers. */
  runtime: boolean;
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

const answers = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/** Look what the host can do now. The root's name servers are asked for: every resolver knows them. */
export const readAbilities = async (
  listContainers: () => Promise<unknown>,
): Promise<HostAbilities> => {
  const resolver = new Resolver({ timeout: dnsTimeoutMs, tries: 1 });
  const [routes, dns, runtime] = await Promise.all([
    readFile('/proc/net/route', 'utf8').catch(() => ''),
    answers(resolver.resolveNs('.')),
    answers(listContainers()),
  ]);
  return { network: hasDefaultRoute(routes), dns, runtime };
};

/** Whether everything that worked before still works; without a before, the runtime must answer. */
export const judgeGate = (
  before: HostAbilities | null,
  after: HostAbilities,
): { ok: boolean; reason: string } => {
  const lost = [
    before?.network === true && !after.network ? 'the default route is gone' : null,
    before?.dns === true && !after.dns ? 'the DNS resolver does not answer any more' : null,
    after.runtime ? null : 'the container runtime does not answer',
  ].filter((reason) => reason !== null);
  return lost.length === 0
    ? { ok: true, reason: 'network, DNS and runtime are as before' }
    : { ok: false, reason: lost.join('; ') };
};
