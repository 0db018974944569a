import { describe, expect, test } from '@jest/globals';
import { emptyJournal } from '../../../src/core/agent/journal.ts';
import { createWrittenJournal } from '../../../src/workers/agent/journal-diff.ts';

describe('what of the journal must be written', () => {
  test('is what differs from what was written, and nothing that was taken away again', () => {
    const journal = emptyJournal('life', true);
    const written = createWrittenJournal(null);
    journal.refused.set('g1', { outcome: 'void', reason: 'a' });
    const first = written.differences(journal);
    expect(first.put.map(({ part, key }) => [part, key])).toEqual([
      ['scalars', ''],
      ['refused', 'g1'],
    ]);
    // Not accepted: the write may have failed.
    expect(written.differences(journal)).toEqual(first);
    written.accept(first);
    expect(written.differences(journal)).toEqual({ put: [], remove: [] });
    journal.refused.delete('g1');
    journal.refused.set('g2', { outcome: 'void', reason: 'b' });
    const second = written.differences(journal);
    expect(second.put.map(({ key }) => key)).toEqual(['g2']);
    expect(second.remove).toEqual([{ part: 'refused', key: 'g1' }]);
  });

  test('does not serialise again what cannot have changed', () => {
    const journal = emptyJournal('life', true);
    let serialised = 0;
    const job = {
      ...{ hash: 'h', grants: [], forgetAfter: 1 },
      toJSON: () => {
        serialised += 1;
        return { hash: 'h', grants: [], forgetAfter: 1 };
      },
    };
    journal.jobs.set('job', job);
    const written = createWrittenJournal(null);
    written.accept(written.differences(journal));
    journal.transactions += 1;
    expect(written.differences(journal).put.map(({ part }) => part)).toEqual(['scalars']);
    expect(serialised).toBe(1);
    // The same id with another content is another object.
    journal.jobs.set('job', { ...job, hash: 'other' });
    expect(written.differences(journal).put.map(({ part }) => part)).toEqual(['scalars', 'jobs']);
  });

  test('replaces everything when another journal takes its place (R15)', () => {
    const journal = emptyJournal('life', true);
    journal.refused.set('g1', { outcome: 'void', reason: 'a' });
    const written = createWrittenJournal(journal);
    expect(written.differences(emptyJournal('another', false))).toMatchObject({
      put: [{ part: 'scalars' }],
      remove: [{ part: 'refused', key: 'g1' }],
    });
  });
});
