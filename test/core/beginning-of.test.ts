import { describe, expect, test } from '@jest/globals';
import { hashCanonical } from '../../src/audit/chain.ts';
import { verifyEnvelope } from '../../src/jobs/envelope.ts';
import { describeResult } from '../../src/host/run-bounded.ts';
import { countJunk } from '../../src/workers/agent/junk.ts';
import { createRefusedMessages } from '../../src/workers/control/refused-messages.ts';

/** What neither the audit chain nor a signed report can hold throws here. */
const expectToBeKept = (value: unknown): void => {
  expect(hashCanonical(value)).toHaveLength(64);
};

describe('what others say is kept as text that can be signed and chained', () => {
  test('the last line of a check in a container, cut in the middle of a character', () => {
    for (const length of [199, 200]) {
      const output = `${'x'.repeat(length)}😀\n`;
      const result = { ended: 'exited', exitCode: 1, output, problem: '' } as const;
      const reason = describeResult(['/bin/check'], result, 1_000);
      expect(reason).toContain('xxx');
      expectToBeKept(reason);
    }
  });

  test.each([
    ['half a pair', '\\ud83d'],
    ['a pair that is cut', `${'x'.repeat(199)}😀`],
  ])('junk that somebody put into Redis, with %s', (_, text) => {
    // The name of a key that an envelope does not have stands in the reason.
    const refused = verifyEnvelope(`{"${text}":1}`, { recipient: 'h1', keysOf: () => [] });
    const said = [JSON.parse(`"${text}"`) as string, 'reason' in refused ? refused.reason : ''];
    for (const reason of said) {
      const recorded: unknown[] = [];
      const record = (audit: unknown): boolean => recorded.push(audit) > 0;
      const junk = countJunk({ everyMs: 3_600_000, record });
      junk.count('malformed', reason);
      junk.stop();
      expectToBeKept(recorded);
      const messages = createRefusedMessages(() => 0);
      messages.count('h1', reason);
      expectToBeKept(messages.take());
    }
  });
});
