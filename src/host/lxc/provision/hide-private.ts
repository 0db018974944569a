import { dirname } from 'node:path';
import { errorText } from '../../../core/error-text.ts';
import type { ContainerName } from '../../../core/ids.ts';
import type { RuntimeState } from '../../runtime.ts';
import { findUnhidden } from './find-unhidden.ts';
import type { LookedInto } from './find-unhidden.ts';
import { removeAbandonedStaging, withOpaqueDirectories } from './opaque-directories.ts';
import { finishPlacing, placeOpaque } from './place-opaque.ts';
import { privateDirectories } from './private-directories.ts';
import type { PrivatePlaces } from './private-directories.ts';
import { ProvisionError } from './provision-error.ts';

export interface HideOptions {
  places: PrivatePlaces;
  /** Asked just before anything is changed: the upper layer of a mounted overlay is not ours. */
  state: (name: ContainerName) => Promise<RuntimeState>;
}

/**
 * Hides the host's private directories from an older container while it is down, as the agent does
 * between stop and start. Answers the paths that it hid; doing it twice changes nothing. Files of
 * the container's own in these directories are kept. Throws ProvisionError when the container is
 * not down, is not on the host's root, or when some of the directories can still be seen afterwards.
 */
export const hidePrivateDirectories = async (
  container: LookedInto,
  { places, state }: HideOptions,
): Promise<string[]> => {
  const { name, root } = container;
  if (root.kind === 'other')
    throw new ProvisionError(`container ${name} is not on the host's root: it is left alone`);
  const { state: now } = await state(name);
  if (now !== 'stopped')
    throw new ProvisionError(
      `container ${name} is ${now}: directories are hidden while it is down`,
    );
  const wanted = await privateDirectories(places);
  const beside = dirname(root.upper);
  await removeAbandonedStaging(beside);
  const open = (await findUnhidden([container], places))[0]?.paths ?? [];
  const problems: string[] = [];
  /** What stands in the way of hiding one directory keeps no other one open. */
  const attempt = async (work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems.push(errorText(error));
    }
  };
  if (open.length > 0) {
    const toHide = wanted.filter(({ path }) => open.includes(path));
    await withOpaqueDirectories(beside, toHide.length, async (made) => {
      for (const [index, directory] of toHide.entries())
        await attempt(() => placeOpaque(root.upper, directory, made[index] ?? ''));
    });
  }
  for (const { path } of wanted)
    await attempt(() => {
      finishPlacing(root.upper, path);
    });
  const left = open.length === 0 ? [] : await findUnhidden([container], places);
  const see = left.map(({ paths }) => `it can still look into ${paths.join(', ')} of the host`);
  if (see.length + problems.length > 0)
    throw new ProvisionError(`container ${name}: ${[...see, ...problems].join('; ')}`);
  return open;
};
