import type { Scene } from '../test/bed/scene.ts';

const hints: readonly (readonly [string, string])[] = [
  ['gs status', 'hosts, services and waves at a glance'],
  ['gs containers', 'does one of them run old code?'],
  ['gs scan', 'the same, asked of the host alone'],
  ['gs why h1/web-01', 'why it is where it is'],
  ['gs restart web', 'by hand, within the budget: a wave'],
  ['gs waves', 'this one and those before'],
  ['gs pause --reason "a look around"', 'begin no restart'],
  ['gs resume', 'go on'],
  ['gs audit list --limit 20', 'who did what, and why'],
  ['gs --help', 'everything else'],
];

/** Says how to look around in the host that `--keep` leaves running. */
export const tellHowToExplore = (scene: Scene, write: (line: string) => void): void => {
  const { host } = scene;
  const path = 'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  write('\nEverything stays up until Ctrl-C. In another terminal, as root:\n');
  write('  gs() {');
  write(`    lxc-attach -P ${host.lxcPath} -n ${host.lxcName} --clear-env \\`);
  write(`      -v ${path} -v TERM="$TERM" -- \\`);
  write('      node /opt/groundswell/bin/groundswell.js "$@"');
  write('  }');
  const widest = Math.max(...hints.map(([command]) => command.length));
  for (const [command, what] of hints) write(`  ${command.padEnd(widest)}  # ${what}`);
};
