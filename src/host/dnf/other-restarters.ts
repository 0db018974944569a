import { join } from 'node:path';
import {
  dropIns,
  needrestart,
  readText,
  restartsContainers,
  withoutComments,
} from '../apt/other-restarters.ts';
import type { OtherRestarter } from '../apt/other-restarters.ts';

const COMMENT = /^\s*#.*$/;

/** Actions that the plugins of dnf 4 and dnf 5 run in package transactions. */
const actions = async (root: string): Promise<OtherRestarter[]> => {
  const paths = [
    ...(await dropIns(root, 'etc/dnf/plugins/post-transaction-actions.d', /\.action$/)),
    ...(await dropIns(root, 'etc/dnf/libdnf5-plugins/actions.d', /\.actions$/)),
  ];
  const found: OtherRestarter[] = [];
  for (const path of paths) {
    const lines = withoutComments((await readText(path)) ?? '', COMMENT);
    for (const [index, text] of lines.entries()) {
      // dnf 5 wants the blanks of one argument escaped.
      const what = await restartsContainers(root, text.replaceAll('\\ ', ' '));
      if (what !== null)
        found.push({
          ...{ kind: 'dnf-hook', path, line: index + 1 },
          what: `${what} in package transactions, whatever the budgets say`,
          remedy: 'take that line out: Groundswell restarts what needs it',
        });
    }
  }
  return found;
};

/** dnf-automatic of dnf 4 and dnf 5 can reboot the host after its updates. */
const automatic = async (root: string): Promise<OtherRestarter[]> => {
  const path = join(root, 'etc/dnf/automatic.conf');
  const lines = withoutComments((await readText(path)) ?? '', COMMENT);
  return lines.flatMap((text, index): OtherRestarter[] =>
    /^\s*reboot\s*=\s*when-(?:needed|changed)\b/.test(text)
      ? [
          {
            ...{ kind: 'automatic-reboot', path, line: index + 1 },
            what: 'dnf-automatic reboots the host with all its containers',
            remedy: 'set reboot = never',
          },
        ]
      : [],
  );
};

/**
 * Everything below the `root` of a dnf host that would restart containers, or the host, in package transactions and
 * that Groundswell does not control.
 */
export const findDnfRestarters = async (root: string): Promise<OtherRestarter[]> => [
  ...(await needrestart(root)),
  ...(await actions(root)),
  ...(await automatic(root)),
];
