import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Commands } from './command.ts';

export interface DebPackage {
  name: string;
  version: string;
  /** The source package, when its name is another. */
  source?: string;
  architecture: string;
  multiArch?: 'same';
  section?: string;
  depends?: string;
  /** Maintainer scripts and other control files, such as `postinst` or `triggers`. */
  control?: Record<string, string>;
}

const SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm'];

/**
 * Builds `<name>_<version>_<arch>.deb` into `outputDirectory` from the files below `tree`, to which
 * the control files are added. deb-control(5). Answers the path.
 */
export const buildDeb = async (
  { must }: Commands,
  deb: DebPackage,
  tree: string,
  outputDirectory: string,
): Promise<string> => {
  const control = [
    `Package: ${deb.name}`,
    ...(deb.source === undefined ? [] : [`Source: ${deb.source}`]),
    `Version: ${deb.version}`,
    `Architecture: ${deb.architecture}`,
    ...(deb.multiArch === undefined ? [] : [`Multi-Arch: ${deb.multiArch}`]),
    ...(deb.depends === undefined ? [] : [`Depends: ${deb.depends}`]),
    `Section: ${deb.section ?? 'misc'}`,
    'Priority: optional',
    'Maintainer: Test bed <test@example.org>',
    `Description: ${deb.name} of the test bed`,
    '',
  ].join('\n');
  const files = { ...deb.control, control };
  await mkdir(join(tree, 'DEBIAN'), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(tree, 'DEBIAN', name);
    await writeFile(path, text);
    await chmod(path, SCRIPTS.includes(name) ? 0o755 : 0o644);
  }
  const output = join(outputDirectory, `${deb.name}_${deb.version}_${deb.architecture}.deb`);
  await mkdir(dirname(output), { recursive: true });
  await must(['dpkg-deb', '--root-owner-group', '-Znone', '-b', tree, output]);
  return output;
};
