import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';

/** Platform id of os-release(5), such as `debian-12`. */
export const platformOf = (osRelease: string): string => {
  const fields = parseEnv(osRelease);
  const id = fields['ID'] ?? 'unknown';
  const version = fields['VERSION_ID'];
  return version === undefined ? id : `${id}-${version}`;
};

const readOr = (path: string, otherwise: string): Promise<string> =>
  readFile(path, 'utf8').catch(() => otherwise);

/** Packages that asked for a reboot, as update-notifier and needrestart write them; empty: none. */
export const readRebootRequired = async (runDirectory: string): Promise<string[]> => {
  const flag = await readFile(`${runDirectory}/reboot-required`, 'utf8').catch(() => null);
  if (flag === null) return [];
  const packages = (await readOr(`${runDirectory}/reboot-required.pkgs`, ''))
    .split('\n')
    .filter((line) => line !== '');
  return packages.length === 0 ? ['unknown packages'] : [...new Set(packages)].sort();
};

export const readPlatform = async (): Promise<string> =>
  platformOf(await readOr('/etc/os-release', ''));
