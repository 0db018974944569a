import { ContainerName } from '../../../core/ids.ts';
import { ProvisionError } from './provision-error.ts';

/**
 * Names for `count` clones: `web-07` is followed by `web-08`, `web` by `web-01`. Numbers that are
 * taken are passed over, and digits added when they no longer suffice.
 * Throws ProvisionError when a name would be longer than LXC allows.
 */
export const cloneNames = (
  source: string,
  count: number,
  taken: ReadonlySet<string>,
): ContainerName[] => {
  const match = /^(.*?)-?(\d+)$/.exec(source);
  const stem = match?.[1] ?? source;
  const digits = match?.[2] ?? '00';
  const names: ContainerName[] = [];
  for (let number = Number(digits) + 1; names.length < count; number++) {
    const joint = match === null || source.includes(`-${digits}`) ? '-' : '';
    const name = `${stem}${joint}${String(number).padStart(digits.length, '0')}`;
    if (taken.has(name)) continue;
    if (!ContainerName.safeParse(name).success)
      throw new ProvisionError(`${name} is no container name: choose a shorter one with --name`);
    names.push(name);
  }
  return names;
};
