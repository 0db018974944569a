import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bedCommands } from './command.ts';
import type { Commands } from './command.ts';
import { buildDeb } from './deb.ts';
import { exists } from './exists.ts';
import { withFileLock } from './file-lock.ts';

/** The packages that the bed's repository publishes. */
export const DEMO_PACKAGES = [
  'libgs-demo1',
  'libgs-extra1',
  'gs-demo-web',
  'gs-demo-data',
] as const;
export type DemoPackage = (typeof DEMO_PACKAGES)[number];

/** Every package is built in each of these, from the vulnerable one to the latest fix. */
export const DEMO_VERSIONS = ['1.0-1', '1.0-1+deb12u1', '1.0-1+deb12u2'] as const;
export type DemoVersion = (typeof DEMO_VERSIONS)[number];

const SOURCES = ['gsdemo.c', 'gsextra.c', 'gs-demo-web.c'];
/** Raise it when packages change for the same C sources: it is part of the cache's key. */
const RECIPE_VERSION = 1;
const CFLAGS = ['-O2', '-Wall', '-Wl,--build-id=sha1'];

interface Build {
  commands: Commands;
  sources: string;
  work: string;
  output: string;
  architecture: string;
  /** Such as x86_64-linux-gnu: the folder that libraries lie in. */
  multiarch: string;
}

const buildLibrary = async (
  { commands, sources, work, output, architecture, multiarch }: Build,
  library: 'gsdemo' | 'gsextra',
  name: string,
  version: DemoVersion,
): Promise<void> => {
  const tree = join(work, `${name}-${version}`);
  const folder = join(tree, 'usr/lib', multiarch);
  await mkdir(folder, { recursive: true });
  await commands.must([
    ...['gcc', ...CFLAGS, '-shared', '-fPIC', `-Wl,-soname,lib${library}.so.1`],
    ...[`-DGS_VERSION="${version}"`, '-o', join(folder, `lib${library}.so.1.0.0`)],
    join(sources, `${library}.c`),
  ]);
  await symlink(`lib${library}.so.1.0.0`, join(folder, `lib${library}.so.1`));
  await buildDeb(
    commands,
    {
      ...{ name, version, source: name.replace(/^lib(.*)1$/, '$1'), architecture },
      ...{ multiArch: 'same', section: 'libs' },
      control: { triggers: 'activate-noawait ldconfig\n' },
    },
    tree,
    output,
  );
};

const buildService = async (build: Build, version: DemoVersion): Promise<void> => {
  const { commands, sources, work, output, architecture, multiarch } = build;
  const name = 'gs-demo-web';
  const tree = join(work, `${name}-${version}`);
  await mkdir(join(tree, 'usr/bin'), { recursive: true });
  await commands.must([
    ...['gcc', ...CFLAGS, `-DGS_VERSION="${version}"`, '-o', join(tree, 'usr/bin', name)],
    join(sources, 'gs-demo-web.c'),
    join(work, `libgs-demo1-${version}/usr/lib/${multiarch}/libgsdemo.so.1.0.0`),
    ...['-ldl', '-pthread'],
  ]);
  const depends = 'libc6, libgs-demo1, libgs-extra1';
  await buildDeb(commands, { name, version, architecture, depends }, tree, output);
};

/** A package of which no process ever maps a file. */
const buildData = async (build: Build, version: DemoVersion): Promise<void> => {
  const name = 'gs-demo-data';
  const tree = join(build.work, `${name}-${version}`);
  await mkdir(join(tree, 'usr/share', name), { recursive: true });
  await writeFile(join(tree, 'usr/share', name, 'notes.txt'), `${name} ${version}\n`);
  await buildDeb(build.commands, { name, version, architecture: 'all' }, tree, build.output);
};

const buildAll = async (output: string, sources: string): Promise<void> => {
  const work = `${output}.build`;
  const commands = bedCommands(work);
  await rm(work, { recursive: true, force: true });
  await mkdir(join(work, 'pool'), { recursive: true });
  const architecture = (await commands.must(['dpkg', '--print-architecture'])).trim();
  const multiarch = (await commands.must(['gcc', '-print-multiarch'])).trim();
  const build = { commands, sources, work, output: join(work, 'pool'), architecture, multiarch };
  for (const version of DEMO_VERSIONS) {
    await buildLibrary(build, 'gsdemo', 'libgs-demo1', version);
    await buildLibrary(build, 'gsextra', 'libgs-extra1', version);
    await buildService(build, version);
    await buildData(build, version);
  }
  await rename(build.output, output);
  await rm(work, { recursive: true, force: true });
};

/**
 * The directory with every demo package in every version, built with gcc (about 2 s) unless
 * `cacheDirectory` has them for the same C sources, which lie in `<projectDirectory>/test/bed/demo`.
 */
export const ensureDemoPackages = async (
  cacheDirectory: string,
  projectDirectory: string,
): Promise<string> => {
  const sources = join(projectDirectory, 'test/bed/demo');
  const hash = createHash('sha256').update(JSON.stringify([RECIPE_VERSION, DEMO_VERSIONS]));
  for (const name of SOURCES) hash.update(await readFile(join(sources, name)));
  const output = join(cacheDirectory, `demo-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(output)) return output;
  await mkdir(cacheDirectory, { recursive: true });
  await withFileLock(`${output}.lock`, async () => {
    if (!(await exists(output))) await buildAll(output, sources);
  });
  return output;
};
