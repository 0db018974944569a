import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Which distribution the bed's hosts run, and where their packages come from. */
export interface Distribution {
  id: 'debian' | 'ubuntu';
  codename: string;
  mirror: string;
  /** Where security updates come from. */
  security: string;
  components: string[];
}

interface Source {
  uri: string;
  suite: string;
}

/** `deb [options] uri suite components…` lines, sources.list(5). */
export const parseOneLineSources = (text: string): Source[] =>
  text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    const [, uri, suite] = match ?? [];
    return uri !== undefined && suite !== undefined ? [{ uri, suite }] : [];
  });

/** deb822 stanzas, sources.list(5): `Types`, `URIs`, `Suites`; disabled ones are left out. */
export const parseDeb822Sources = (text: string): Source[] =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const field = (name: string): string[] => {
        const match = new RegExp(`^${name}:([^\\n]*(?:\\n[ \\t][^\\n]*)*)`, 'im').exec(stanza);
        return match?.[1]?.split(/\s+/).filter((word) => word !== '') ?? [];
      };
      if (!field('Types').includes('deb') || field('Enabled')[0] === 'no') return [];
      return field('URIs').flatMap((uri) => field('Suites').map((suite) => ({ uri, suite })));
    });

const readSources = async (): Promise<Source[]> => {
  const folder = '/etc/apt/sources.list.d';
  const names = await readdir(folder).catch(() => []);
  const paths = ['/etc/apt/sources.list', ...names.sort().map((name) => join(folder, name))];
  const found = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'utf8').catch(() => '');
      if (path.endsWith('.sources')) return parseDeb822Sources(text);
      return path.endsWith('.list') ? parseOneLineSources(text) : [];
    }),
  );
  return found.flat();
};

const DEFAULTS = {
  debian: {
    mirror: 'http://deb.debian.org/debian',
    security: 'http://deb.debian.org/debian-security',
    components: ['main'],
  },
  ubuntu: {
    mirror: 'http://archive.ubuntu.com/ubuntu',
    security: 'http://security.ubuntu.com/ubuntu',
    components: ['main', 'universe'],
  },
} as const;

/**
 * The machine's own distribution with the mirror that it is configured to use, so that a bed works
 * behind a local mirror too. Throws on a machine that is neither Debian nor Ubuntu.
 */
export const readDistribution = async (): Promise<Distribution> => {
  const release = await readFile('/etc/os-release', 'utf8');
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(release)?.[1];
  const [id, codename] = [value('ID'), value('VERSION_CODENAME')];
  if ((id !== 'debian' && id !== 'ubuntu') || codename === undefined || codename === '')
    throw new Error(
      `the test bed needs Debian or Ubuntu; /etc/os-release says ID=${id ?? ''} VERSION_CODENAME=${codename ?? ''}`,
    );
  const sources = await readSources();
  const configured = (wanted: string): string | undefined =>
    sources.find(({ uri, suite }) => suite === wanted && /^https?:/.test(uri))?.uri;
  const { mirror, security, components } = DEFAULTS[id];
  return {
    ...{ id, codename, components: [...components] },
    mirror: configured(codename) ?? mirror,
    security: configured(`${codename}-security`) ?? security,
  };
};
