import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commands } from './command.ts';

export interface RpmPackage {
  name: string;
  /** `version-release`. */
  version: string;
  /** The source package, when its name is another. */
  source?: string;
  arch: string;
  /** Lines of the preamble, such as `Conflicts: gs-rival` or `ModularityLabel: gsmod:1:1:abcd`. */
  preamble?: readonly string[];
  /** Scripts of the package by name: `pre`, `post`, `preun`, … */
  scripts?: Readonly<Record<string, string>>;
}

const specOf = (rpm: RpmPackage, tree: string): string => {
  const [version = '', release = ''] = rpm.version.split('-');
  const own = rpm.source === undefined || rpm.source === rpm.name;
  const which = own ? '' : ` -n ${rpm.name}`;
  return [
    `Name: ${rpm.source ?? rpm.name}`,
    `Version: ${version}`,
    `Release: ${release}`,
    'Summary: of the test bed',
    'License: Apache-2.0',
    ...(own
      ? []
      : [
          '%description',
          'Of the test bed.',
          `%package -n ${rpm.name}`,
          'Summary: of the test bed',
        ]),
    // What it needs is Debian's, of which rpm knows nothing.
    'AutoReqProv: no',
    ...(rpm.preamble ?? []),
    `%description${which}`,
    'Of the test bed.',
    '%install',
    `cp -a ${tree}/. %{buildroot}/`,
    ...Object.entries(rpm.scripts ?? {}).flatMap(([name, text]) => [`%${name}${which}`, text]),
    `%files${which} -f ${tree}.files`,
    '',
  ].join('\n');
};

/**
 * Builds `<name>-<version>.<arch>.rpm` into `outputDirectory` from the files below `tree`, rpmbuild(8). Leaves nothing
 * in the home directory. Answers the path.
 */
export const buildRpm = async (
  { must }: Commands,
  rpm: RpmPackage,
  tree: string,
  outputDirectory: string,
): Promise<string> => {
  const work = `${tree}.rpmbuild`;
  await mkdir(work, { recursive: true });
  await mkdir(outputDirectory, { recursive: true });
  const spec = join(work, 'package.spec');
  await writeFile(spec, specOf(rpm, tree));
  const files = await must(['find', tree, '-mindepth', '1', '!', '-type', 'd', '-printf', '/%P\n']);
  await writeFile(`${tree}.files`, files);
  const defines = {
    _topdir: work,
    _dbpath: join(work, 'db'),
    _rpmdir: outputDirectory,
    _build_name_fmt: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
    __os_install_post: '%{nil}',
    debug_package: '%{nil}',
    _build_id_links: 'none',
  };
  await must(
    [
      ...['rpmbuild', '-bb', '--quiet', '--target', rpm.arch],
      ...Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
      spec,
    ],
    { environment: { HOME: work } },
  );
  await rm(work, { recursive: true });
  return join(outputDirectory, `${rpm.name}-${rpm.version}.${rpm.arch}.rpm`);
};
