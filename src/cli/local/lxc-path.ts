import { stat } from 'node:fs/promises';
import { hasCode } from '../../core/error-code.ts';
import { DEFAULT_LXC_PATH } from '../../host/lxc/lxc-runtime.ts';

/**
 * Fails where there is no such directory, but for LXC's own: that one is not there before LXC is installed. Any other was
 * named by a person, on the command line or in the configuration, and no containers in it would be no answer.
 */
export const mustBeThere = async (lxcPath: string): Promise<void> => {
  try {
    if ((await stat(lxcPath)).isDirectory()) return;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    if (lxcPath === DEFAULT_LXC_PATH) return;
    throw new Error(
      `there is no directory ${lxcPath}: name the one where LXC keeps its containers (--lxc-path, or agent.lxcPath in the configuration)`,
      { cause: error },
    );
  }
  throw new Error(`${lxcPath} is no directory: LXC keeps its containers in one`);
};
