import Sequencer from '@jest/test-sequencer';
import { basename } from 'node:path';

/** Files on real hosts that take minutes whatever their size, the slowest first. */
const slowest = ['quickstart', 'dnf', 'outside-upgrades', 'scan', 'dnf-wave', 'two-hosts'];

const placeOf = ({ path }) => {
  const at = slowest.indexOf(basename(path, '.test.ts'));
  return at === -1 ? slowest.length : at;
};

/**
 * Jest begins with the largest file where it has measured none yet, as in a fresh clone: the quickstart, in a small
 * one, then came last and ran alone for minutes while the other core had nothing to do.
 */
export default class SlowestFirst extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((one, other) => placeOf(one) - placeOf(other));
  }
}
