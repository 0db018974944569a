import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { proxyFrom } from '../src/config/proxy.ts';
import type { Distribution } from '../test/bed/apt-sources.ts';
import { bedCommands } from '../test/bed/command.ts';
import type { CommandResult } from '../test/bed/command.ts';
import { DEMO_PACKAGES } from '../test/bed/demo-packages.ts';
import type { BedHost } from '../test/bed/host.ts';
import { startWebGateway } from '../test/bed/web-gateway.ts';
import type { WebGateway } from '../test/bed/web-gateway.ts';
import { parsePending, parseVersions } from './pending.ts';
import type { PendingPackage } from './pending.ts';

const service = '/usr/local/lib/gsbed/real-service.py';
const checkMs = 60_000;

/** What containers run: a web service of the distribution's own Python. */
export const realService = (startDelayMs: number): string[] => [
  ...['/usr/bin/tini', '--', '/usr/bin/python3', service, '8080'],
  ...(startDelayMs === 0 ? [] : ['--start-delay-ms', String(startDelayMs)]),
];

/** What such a service would answer if it were started now, on the host itself. */
export const answerNow = async (host: Pick<BedHost, 'must'>): Promise<string> =>
  (await host.must(['/usr/bin/python3', service, '--print'])).trim();

/** apt's own words about what went wrong. */
const saidBy = ({ stdout, stderr }: CommandResult): string[] =>
  `${stderr}\n${stdout}`
    .split('\n')
    .filter((line) => /^(?:E|Err)[:\d]/.test(line))
    .slice(0, 5)
    .map((line) => `  ${line}`);

const remedy = [
  'It is the mirror that the sources of this machine name (/etc/apt), or else the distribution’s own. See to it that',
  '`apt-get update` works here, with a proxy if there has to be one, and start again. Without a network there is the',
  'demo library: npm run quickstart',
];

/** Throws, with what to do, where this machine cannot fetch security updates: before anything is built. */
export const requireMirror = async ({ codename, security }: Distribution): Promise<void> => {
  const place = `${security.replace(/\/+$/, '')}/dists/${codename}-security/InRelease`;
  const quick = ['Acquire::http::Timeout=15', 'Acquire::https::Timeout=15', 'Acquire::Retries=1'];
  const scratch = await mkdtemp(join(tmpdir(), 'gs-mirror-'));
  const tried = await bedCommands(scratch)
    .run(
      [
        '/usr/lib/apt/apt-helper',
        ...quick.flatMap((option) => ['-o', option]),
        ...['download-file', place, join(scratch, 'InRelease')],
      ],
      { timeoutMs: checkMs },
    )
    .finally(() => rm(scratch, { recursive: true, force: true }));
  if (tried.exitCode === 0) return;
  throw new Error(
    [
      `the security updates of ${codename} cannot be fetched from ${place}:`,
      ...[...saidBy(tried), ...remedy],
    ].join('\n'),
  );
};

/** The proxy that this machine has to use: apt's, or the environment's; null: none. */
const ownProxy = async (directory: string): Promise<URL | null> => {
  const told = await bedCommands(directory).run([
    ...['apt-config', 'shell', 'PROXY', 'Acquire::http::Proxy'],
  ]);
  const configured = /^PROXY='(http:[^']*)'/m.exec(told.stdout)?.[1];
  const named = configured ?? proxyFrom(process.env)?.url;
  return named !== undefined && URL.canParse(named) ? new URL(named) : null;
};

const sourceOf = ({ id, components }: Distribution, uri: string, suite: string): string =>
  [
    'Types: deb',
    `URIs: ${uri}`,
    `Suites: ${suite}`,
    `Components: ${components.join(' ')}`,
    `Signed-By: /usr/share/keyrings/${id}-archive-keyring.gpg`,
    '',
  ].join('\n');

const parts = '/etc/apt/sources.list.d';
const securitySource = `${parts}/security.sources`;

/** The updates that the suite of security updates has for what is installed, as apt itself says. */
export const pendingSecurity = async (host: Pick<BedHost, 'must'>): Promise<PendingPackage[]> =>
  parsePending(
    await host.must([
      ...['apt-get', '-s', '-q', '-o', `Dir::Etc::SourceList=${securitySource}`],
      ...['-o', 'Dir::Etc::SourceParts=/dev/null', 'dist-upgrade'],
    ]),
  );

export const installedVersions = async (
  host: Pick<BedHost, 'must'>,
): Promise<Map<string, string>> =>
  parseVersions(await host.must(['dpkg-query', '-W', '-f', '${binary:Package} ${Version}\\n']));

/** Where advisories have their numbers; of Ubuntu's notices there are too many to fetch them for a show. */
export const numbered = { debian: ['debian-lists'], ubuntu: [] } as const;

/** Configuration for what Groundswell is to know of advisories; it decides nothing by itself here. */
const realConfiguration = async (
  host: BedHost,
  { id, security }: Distribution,
  gateway: WebGateway,
): Promise<string> => {
  const release = await host.readFile('/etc/os-release');
  const version = /^VERSION_ID="?([^"\n]*)/m.exec(release)?.[1] ?? '';
  return [
    `fetch: { proxy: "${gateway.url}" }`,
    'feeds:',
    `  - { source: apt-security, mirrors: ["${security}"] }`,
    ...numbered[id].map((name) => `  - { source: ${name} }`),
    'platforms:',
    `  ${id}-${version}: { policy: [{ mode: observe }] }`,
    '',
  ].join('\n');
};

/**
 * Gives a host of the bed the real sources of its distribution, instead of the bed's own, and a way to them. Throws where
 * their indexes cannot be fetched.
 */
export const prepareRealHost = async (
  host: BedHost,
  distribution: Distribution,
  { directory, projectDirectory }: { directory: string; projectDirectory: string },
): Promise<WebGateway> => {
  const gateway = await startWebGateway(host.outerAddress, await ownProxy(directory));
  try {
    await host.must(['apt-get', '-qy', 'purge', ...DEMO_PACKAGES]);
    await host.writeFile('/etc/apt/sources.list', '');
    const { id, codename, mirror, security } = distribution;
    const main = sourceOf(distribution, mirror, codename);
    await host.writeFile(`${parts}/${id}.sources`, main);
    await host.writeFile(securitySource, sourceOf(distribution, security, `${codename}-security`));
    await host.writeFile(
      '/etc/apt/apt.conf.d/90gateway',
      `Acquire::http::Proxy "${gateway.url}";\nAcquire::https::Proxy "${gateway.url}";\n`,
    );
    const text = await readFile(join(projectDirectory, 'quickstart/real-service.py'), 'utf8');
    await host.writeFile(service, text, 0o755);
    await host.writeFile(
      '/etc/groundswell/config.d/real.yaml',
      await realConfiguration(host, distribution, gateway),
      0o600,
    );
    const update = await host.run(['apt-get', '-q', '-o', 'APT::Update::Error-Mode=any', 'update']);
    if (update.exitCode !== 0)
      throw new Error(
        ['the host cannot fetch what its sources have:', ...saidBy(update), ...remedy].join('\n'),
      );
    return gateway;
  } catch (error) {
    await gateway.close();
    throw error;
  }
};
