import { packageSystemOf } from '../packages/package-system.ts';
import { dpkgPathsReader } from './dpkg-paths.ts';
import type { PackagedPathsReader } from './dpkg-paths.ts';
import { rpmPathsReader } from './rpm-paths.ts';

/** File lists of the packages in a root directory, of whichever package system that is. */
export const packagedPathsReader = (): PackagedPathsReader => {
  const readers = { dpkg: dpkgPathsReader(), rpm: rpmPathsReader() };
  return (root) => readers[packageSystemOf(root)](root);
};
