import { mountOf } from '../../core/stale/parse-mountinfo.ts';
import type { Mount } from '../../core/stale/parse-mountinfo.ts';
import { inodeOf, readMappings, splitDeleted } from './read-mappings.ts';
import type { OpenedFile } from './read-mappings.ts';
import type { SeenProcess } from './read-processes.ts';
import type { HostFileVerdict, HostRules, Packaged } from './host-rules.ts';
import type { Surroundings } from './scan-surroundings.ts';

export type JudgedHostProcess =
  | { kind: 'judged'; files: Exclude<HostFileVerdict, 'fine'>[] }
  | { kind: 'gone' }
  | { kind: 'unreadable'; reason: string }
  /** It lives on another root: not a process of this host's system. */
  | { kind: 'elsewhere' };

/** Where removed files were code; elsewhere programs map and delete files of their own. */
const CODE = /^\/(?:usr|lib\w*|bin|sbin|opt)\//;

const counts = (packaged: Packaged, path: string, { executable }: OpenedFile): boolean =>
  executable || ('paths' in packaged && packaged.paths.packageOf(path) !== null);

const judge = (
  { packaged }: HostRules,
  root: string,
  mounts: readonly Mount[],
  file: OpenedFile,
): HostFileVerdict => {
  const mount = mountOf(mounts, file.text);
  if (mount === null || (file.device !== null && mount.device !== file.device)) return 'fine';
  const { path, deleted } = splitDeleted(file.text, (literal) => inodeOf(root + literal) !== null);
  if (!counts(packaged, path, file)) return 'fine';
  const inode = inodeOf(root + path);
  if (inode === null) return deleted && CODE.test(path) ? { path, how: 'removed' } : 'fine';
  if (inode === file.inode) return 'fine';
  // A file system that shows one number in maps and another in stat says nothing by a difference.
  return deleted || mount.fileSystem !== 'overlay' ? { path, how: 'replaced' } : 'fine';
};

/**
 * The replaced files that a process of the host maps. On the host's own file systems the kernel
 * says `(deleted)`, and a stat of the path answers with the new file.
 */
export const judgeHostFiles = (
  around: Surroundings,
  rules: HostRules,
  process: SeenProcess,
): JudgedHostProcess => {
  const same = process.mountNamespace === around.hostNamespace;
  const mounts = same ? around.hostMounts : around.mountsOf(process);
  const mappings = readMappings(around.procRoot, process);
  if (mappings.kind !== 'read') return mappings;
  if ('reason' in mounts) return { kind: 'unreadable', reason: `its ${mounts.reason}` };
  const root = mountOf(mounts, '/');
  if (!same && (root?.device !== rules.root?.device || root?.root !== rules.root?.root))
    return { kind: 'elsewhere' };
  // `maps` shows paths from the root of the namespace, also where the process is in a chroot.
  const lookUp = same ? '' : `${around.procRoot}/${process.task}/root`;
  const judgeOne = (file: OpenedFile): HostFileVerdict => {
    // Many processes of one namespace map the same files: libc, and each monitor the libraries of LXC.
    const key = same ? `${file.device} ${file.inode} ${file.executable} ${file.text}` : null;
    const known = key === null ? undefined : rules.verdicts.get(key);
    if (known !== undefined) return known;
    const verdict = judge(rules, lookUp, mounts, file);
    if (key !== null) rules.verdicts.set(key, verdict);
    return verdict;
  };
  const files = mappings.files.map(judgeOne).filter((verdict) => verdict !== 'fine');
  return { kind: 'judged', files };
};
