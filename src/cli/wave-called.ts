import type { Remote } from './remote.ts';
import { idBeginning } from './short-ids.ts';

/** How help describes the argument of `waveCalled`. */
export const waveArgument = 'its id, or the beginning of it';

/** The id of the wave that an operator named: the whole of it, which may be of the past, or its beginning. */
export const waveCalled = async (remote: Remote, text: string): Promise<string> => {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  const waves = (await remote.get('/v1/waves')) as { id: string }[];
  return idBeginning(
    waves.map(({ id }) => id),
    text,
    'wave',
    'groundswell waves',
  );
};
