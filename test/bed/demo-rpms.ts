import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bedCommands } from './command.ts';
import type { Commands } from './command.ts';
import { DEMO_PACKAGES } from './demo-packages.ts';
import type { DemoPackage } from './demo-packages.ts';
import { exists } from './exists.ts';
import { withFileLock } from './file-lock.ts';
import { buildRpm } from './rpm.ts';

/** Every demo package is built in each of these, from the vulnerable one to the latest fix. */
export const DEMO_RPM_VERSIONS = ['1.0-1.el9', '1.0-2.el9', '1.0-3.el9'] as const;
export type DemoRpmVersion = (typeof DEMO_RPM_VERSIONS)[number];

/** Says which release this is, as an EL host's own package does, and stands for the shell that scripts need. */
export const RELEASE_RPM = { name: 'almalinux-release', version: '9.9-1.el9' };

const SOURCES = ['gsdemo.c', 'gsextra.c', 'gs-demo-web.c'];
/** Raise it when packages change for the same C sources: it is part of the cache's key. */
const RECIPE_VERSION = 1;
const CFLAGS = ['-O2', '-Wall', '-Wl,--build-id=sha1'];
const LIBRARIES = { 'libgs-demo1': 'gsdemo', 'libgs-extra1': 'gsextra' } as const;

export const demoRpmArch = (name: string, arch: string): string =>
  name in LIBRARIES || name === 'gs-demo-web' ? arch : 'noarch';

/** Compiles a package's files into `tree`; the service is linked against the library's tree beside it. */
const fill = async (
  { must }: Commands,
  {
    name,
    version,
    tree,
    sources,
    work,
  }: {
    name: DemoPackage;
    version: DemoRpmVersion;
    tree: string;
    sources: string;
    work: string;
  },
): Promise<void> => {
  // Where Debian's loader looks: the root around it is Debian's.
  const folder = `usr/lib/${(await must(['gcc', '-print-multiarch'])).trim()}`;
  const define = `-DGS_VERSION="${version}"`;
  if (name === 'gs-demo-data') {
    await mkdir(join(tree, 'usr/share', name), { recursive: true });
    return writeFile(join(tree, 'usr/share', name, 'notes.txt'), `${name} ${version}\n`);
  }
  if (name === 'gs-demo-web') {
    await mkdir(join(tree, 'usr/bin'), { recursive: true });
    await must([
      ...['gcc', ...CFLAGS, define, '-o', join(tree, 'usr/bin', name), join(sources, `${name}.c`)],
      join(work, `libgs-demo1-${version}`, folder, 'libgsdemo.so.1.0.0'),
      ...['-ldl', '-pthread'],
    ]);
    return;
  }
  const library = LIBRARIES[name];
  await mkdir(join(tree, folder), { recursive: true });
  await must([
    ...['gcc', ...CFLAGS, '-shared', '-fPIC', `-Wl,-soname,lib${library}.so.1`, define],
    ...['-o', join(tree, folder, `lib${library}.so.1.0.0`), join(sources, `${library}.c`)],
  ]);
  await symlink(`lib${library}.so.1.0.0`, join(tree, folder, `lib${library}.so.1`));
};

const buildAll = async (output: string, sources: string): Promise<void> => {
  const work = `${output}.build`;
  const commands = bedCommands(work);
  await rm(work, { recursive: true, force: true });
  const pool = join(work, 'pool');
  await mkdir(pool, { recursive: true });
  const arch = (await commands.must(['uname', '-m'])).trim();
  for (const version of DEMO_RPM_VERSIONS)
    for (const name of DEMO_PACKAGES) {
      const tree = join(work, `${name}-${version}`);
      await fill(commands, { name, version, tree, sources, work });
      const source = name in LIBRARIES ? { source: name.replace(/^lib(.*)1$/, '$1') } : {};
      const rpm = { name, version, arch: demoRpmArch(name, arch), ...source };
      await buildRpm(commands, rpm, tree, pool);
    }
  const tree = join(work, 'release');
  await mkdir(join(tree, 'etc'), { recursive: true });
  await writeFile(join(tree, 'etc/almalinux-release'), 'AlmaLinux release 9.9 (test bed)\n');
  const preamble = [
    ...['Provides: system-release = 9.9', 'Provides: system-release(releasever) = 9'],
    'Provides: /bin/sh',
  ];
  await buildRpm(commands, { ...RELEASE_RPM, arch: 'noarch', preamble }, tree, pool);
  await rename(pool, output);
  await rm(work, { recursive: true, force: true });
};

/** The directory with every demo package as an rpm in every version, built unless `cacheDirectory` has them. */
export const ensureDemoRpms = async (
  cacheDirectory: string,
  projectDirectory: string,
): Promise<string> => {
  const sources = join(projectDirectory, 'test/bed/demo');
  const hash = createHash('sha256').update(JSON.stringify([RECIPE_VERSION, DEMO_RPM_VERSIONS]));
  for (const name of SOURCES) hash.update(await readFile(join(sources, name)));
  const output = join(cacheDirectory, `demo-rpms-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(output)) return output;
  await mkdir(cacheDirectory, { recursive: true });
  await withFileLock(`${output}.lock`, async () => {
    if (!(await exists(output))) await buildAll(output, sources);
  });
  return output;
};
