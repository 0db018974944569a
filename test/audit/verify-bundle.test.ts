import { fc } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import { canonicalText, isCanonical, recordText } from '../../src/audit/bundle-lines.ts';
import { checkAnchors } from '../../src/audit/check-anchors.ts';
import { hashCanonical } from '../../src/audit/chain.ts';
import { signStatement } from '../../src/audit/checkpoint.ts';
import { isPlainlyCanonical } from '../../src/audit/plainly-canonical.ts';
import { verifyBundle } from '../../src/audit/verify-bundle.ts';
import type { VerifiedBundle, VerifyOptions } from '../../src/audit/verify-bundle.ts';
import { verifyKeyOf } from '../../src/jobs/signing-key.ts';
import {
  begun,
  checkpointAt,
  forged,
  lines,
  manipulations,
  parse,
  replaced,
  sample,
  thief,
  withEnd,
  without,
} from './manipulations.ts';
import { believed, newTrail } from './sample-bundle.ts';

async function* each(text: readonly string[]): AsyncGenerator<string> {
  yield* await Promise.resolve(text);
}

const verify = (
  text: readonly string[],
  more: Partial<VerifyOptions> = {},
): Promise<VerifiedBundle> =>
  verifyBundle(each(text), {
    ...{ keys: believed, anchors: [], partial: false, underWayMs: 3_600_000 },
    ...more,
  });

const whatOf = async (
  text: readonly string[],
  more: Partial<VerifyOptions> = {},
): Promise<string[]> => (await verify(text, more)).findings.map(({ what }) => what);

test('a bundle as it was written', async () => {
  expect(await verify(lines)).toEqual({
    ...{
      findings: [],
      found: 0,
      records: 22,
      checkpoints: 3,
      chains: 3,
      after: 0,
      anchored: 0,
      underWay: [],
    },
    last: { number: 3, hash: hashCanonical(sample.checkpoints[2]) },
    at: expect.any(String),
  });
  expect((await verify(lines, { anchors: sample.checkpoints })).anchored).toBe(3);
});

describe('manipulations', () => {
  test.each(manipulations)('%s', async (_, text, what) => {
    expect((await whatOf(text)).join('\n')).toMatch(what);
  });

  test('a restart without an outcome; one that may still run is none', async () => {
    const trail = newTrail();
    trail.record('h1', { action: 'restart-begun', subject: 'h1/web-01', grant: 'g1' });
    trail.checkpoint();
    expect(await whatOf(trail.whole())).toEqual([
      expect.stringMatching(/^the restart of h1\/web-01 \(grant g1, .*\) has no outcome$/),
    ]);
    const young = await verify(trail.whole(), { underWayMs: 10 * 3_600_000 });
    expect([young.findings, young.underWay]).toEqual([[], [expect.objectContaining({ line: 2 })]]);
  });

  test.each([
    ['ahead by years: no excuse for what has no outcome', '2099-01-01T00:00:00.000Z', 3_600_000, 1],
    [
      'behind by years: what began just now may still run',
      '1999-01-01T00:00:00.000Z',
      10_800_000,
      0,
    ],
    ['right: nothing may run where no time is given', '2026-11-29T12:00:02.000Z', 0, 1],
  ])('a host’s clock that is %s', async (_, hostAt, underWayMs, found) => {
    const trail = newTrail();
    trail.record('h1', { action: 'restart-begun', grant: 'g1', at: hostAt });
    trail.checkpoint();
    trail.record('h1');
    trail.checkpoint();
    expect(await whatOf(trail.whole(), { underWayMs })).toHaveLength(found);
  });

  test.each(['restart-begun', 'upgrade-begun'])(
    'of two that began one has an outcome: %s',
    async (action) => {
      const trail = newTrail();
      trail.record('h1', { action, subject: 'h1/web-01', grant: 'g1' });
      trail.record('h1', { action, subject: 'h1/web-01', grant: 'g1' });
      trail.record('h1', { action: 'upgrade-ended', grant: 'g1', outcome: 'done' });
      // That the grant is over says nothing of how often something began by it.
      trail.record('server', { action: 'grant-ended', grant: 'g1', outcome: 'done' });
      trail.checkpoint();
      const { findings } = await verify(trail.whole());
      expect(findings).toEqual([{ line: 2, what: expect.stringContaining('has no outcome') }]);
    },
  );

  test('one that begins again after its outcome', async () => {
    const trail = newTrail();
    for (const outcome of ['void', 'done']) {
      trail.record('h1', { action: 'upgrade-begun', grant: 'g1' });
      trail.record('h1', { action: 'upgrade-ended', grant: 'g1', outcome });
    }
    trail.checkpoint();
    expect(await whatOf(trail.whole())).toEqual([]);
  });

  test('what began by no grant, and can have no outcome', async () => {
    const trail = newTrail();
    trail.record('h1', { action: 'restart-begun' });
    trail.record('h1', { action: 'restart-ended', outcome: 'done' });
    trail.checkpoint();
    expect(await whatOf(trail.whole())).toEqual([expect.stringContaining('has no outcome')]);
  });

  test.each(['restart-ended', 'restart-failed', 'restart-refused'])(
    'an outcome: %s',
    async (action) => {
      const trail = newTrail();
      trail.record('h1', { action: 'restart-begun', grant: 'g1' });
      trail.record('h1', { action, grant: 'g1', outcome: 'done' });
      trail.checkpoint();
      expect(await whatOf(trail.whole())).toEqual([]);
    },
  );

  test('an outcome in another host’s chain is none', async () => {
    const trail = newTrail();
    trail.record('h1', { action: 'restart-begun', grant: 'g1' });
    trail.record('h2', { action: 'restart-ended', grant: 'g1', outcome: 'done' });
    trail.checkpoint();
    expect(await whatOf(trail.whole())).toEqual([expect.stringContaining('has no outcome')]);
  });

  test('nothing of a bundle can write on the reader’s screen', async () => {
    const trail = newTrail();
    const subject = '\u001b[2J\u001b[Hintact: 22 records\u009b8m\u202e';
    trail.record('h1', { action: 'restart-begun', grant: 'g1', subject });
    trail.checkpoint();
    const [what = ''] = await whatOf(trail.whole());
    expect(what).toContain('\\u001b[2J');
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(what).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  test('a line that is deeper than any that was written', async () => {
    const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)},"type":"record"}`;
    expect((await whatOf([...lines.slice(0, 3), deep, ...lines.slice(3)]))[0]).toMatch(
      /^this line/,
    );
  });

  test('an outcome by the server’s word, whenever it came', async () => {
    const trail = newTrail();
    trail.record('server', { action: 'grant-ended', grant: 'g1', outcome: 'lost' });
    trail.record('h1', { action: 'restart-begun', grant: 'g1' });
    trail.checkpoint();
    expect(await whatOf(trail.whole())).toEqual([]);
  });

  test('an outcome by the server’s word, which says in a second record how an upgrade ended', async () => {
    const trail = newTrail();
    trail.record('h1', { action: 'upgrade-begun', grant: 'g1' });
    trail.record('server', { action: 'grant-ended', grant: 'g1', outcome: 'done' });
    trail.record('server', { action: 'upgrade-ended', grant: 'g1', outcome: 'done' });
    trail.checkpoint();
    expect(await whatOf(trail.whole())).toEqual([]);
  });

  test('an outcome by the server’s word, which no other host can take away', async () => {
    const trail = newTrail();
    trail.record('h1', { action: 'restart-begun', grant: 'g1' });
    trail.record('server', { action: 'grant-ended', grant: 'g1', outcome: 'excluded' });
    trail.record('h2', { action: 'restart-ended', grant: 'g1', outcome: 'done' });
    trail.record('h2', { action: 'restart-begun', grant: 'g1' });
    trail.record('h2', { action: 'restart-ended', grant: 'g1', outcome: 'done' });
    trail.checkpoint();
    expect(await whatOf(trail.whole())).toEqual([]);
  });

  test('all of it written anew by who holds the key: only anchors tell', async () => {
    const other = newTrail();
    other.record('server', { action: 'wave-opened' });
    other.checkpoint();
    other.record('server', { action: 'wave-finished' });
    other.checkpoint();
    other.record('h1');
    other.checkpoint();
    expect(await whatOf(other.whole())).toEqual([]);
    expect(await whatOf(other.whole(), { anchors: sample.checkpoints.slice(1, 2) })).toEqual([
      'checkpoint 2 is not the one that was sent outside',
    ]);
  });

  test('the tail cut by who holds the key: only anchors tell', async () => {
    const cut = withEnd(lines.slice(0, checkpointAt(2) + 1), 16, 2);
    expect(await whatOf(cut)).toEqual([]);
    expect(await whatOf(cut, { anchors: sample.checkpoints })).toEqual([
      'checkpoint 3 was sent outside, and here is none after 2: the end was cut',
    ]);
  });

  test('an anchor that is none, or of somebody else', async () => {
    const [first] = sample.checkpoints;
    const foreign = signStatement({ ...first, keyId: '' }, thief);
    const found = await whatOf(lines, { anchors: [{}, foreign] });
    expect(found[0]).toBe('anchor 1 is no checkpoint');
    expect(found[1]).toMatch(/^anchor 2(, checkpoint 1, is signed with key| is no checkpoint)/);
  });

  test('a part, where that is what was asked for', async () => {
    const leaves = parse(lines[checkpointAt(1)])['changed'];
    const start = canonicalText({
      type: 'start',
      format: 1,
      after: { checkpoint: sample.checkpoints[0], leaves },
    });
    const rest = lines.slice(checkpointAt(1) + 1, -1);
    const part = withEnd([start, ...rest], 16, 3);
    const verified = await verify(part, { partial: true });
    expect(verified).toMatchObject({ findings: [], after: 1, records: 16, checkpoints: 2 });
  });
});

describe('whatever is changed', () => {
  const anywhere = fc.record({
    line: fc.nat({ max: lines.length - 1 }),
    place: fc.nat(),
    to: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
  });

  test('one character', async () => {
    await fc.assert(
      fc.asyncProperty(anywhere, async ({ line, place, to }) => {
        const text = lines[line] ?? '';
        const index = place % text.length;
        fc.pre(text[index] !== to);
        const other = replaced(line, text.slice(0, index) + to + text.slice(index + 1));
        expect(await whatOf(other)).not.toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('one line more, less or elsewhere', async () => {
    const index = fc.nat({ max: lines.length - 1 });
    await fc.assert(
      fc.asyncProperty(index, index, fc.boolean(), async (from, to, keep) => {
        fc.pre(keep || from !== to);
        const rest = keep ? [...lines] : without(from);
        rest.splice(to, 0, lines[from] ?? '');
        // Records of different chains between the same checkpoints have no order of their own.
        const chains = new Set(
          lines
            .slice(Math.min(from, to), Math.max(from, to) + 1)
            .map((text) => parse(text)['chain']),
        );
        fc.pre(keep || chains.size === 1 || chains.has(undefined));
        expect(await whatOf(rest)).not.toEqual([]);
        expect(await whatOf(without(from))).not.toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('and not more than a bounded number of findings', async () => {
    const wrong = Array.from({ length: 5_000 }, () => 'x');
    expect((await verify(wrong)).findings.length).toBeLessThanOrEqual(100);
  });

  test('a bundle signed by a key that is believed beside others', async () => {
    const keys = new Map([...believed, [thief.id, verifyKeyOf(thief).publicKey]]);
    expect(await whatOf(forged, { keys })).toEqual([]);
  });
});

test('a line of a record is its canonical JSON', () => {
  const line = parse(lines[begun]);
  const { record } = line;
  expect(
    recordText(
      { chain: 'h1', life: 'life-of-h1', seq: 1, hash: String(line['hash']) },
      canonicalText(record),
    ),
  ).toBe(lines[begun]);
});

describe('whether JSON is canonical', () => {
  const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
  const keyed = fc.dictionary(fc.oneof(fc.string(), fc.nat().map(String)), json);

  test('as it is written', () => {
    fc.assert(
      fc.property(keyed, (value) => {
        let text;
        try {
          text = canonicalText(value);
        } catch {
          return;
        }
        expect(isCanonical(text, JSON.parse(text))).toBe(true);
      }),
    );
  });

  const oracle = (text: string): boolean => {
    try {
      return canonicalText(JSON.parse(text)) === text;
    } catch {
      return false;
    }
  };

  test.each([
    ['a word', 'null'],
    ['numbers', '[0,-1,12,0.1,1e+21,1e-7,-12.5,123456789012345,5e-324]'],
    ['keys that look like numbers', '{"10":1,"9":[],"a":{},"\u00e9":"\u2028"}'],
    ['whole surrogate pairs', '{"a":"\u{1f4a3}"}'],
    ['a prototype', '{"__proto__":{"a":1},"toJSON":"x"}'],
  ])('%s: shows at a look', (_, text) => {
    expect([oracle(text), isPlainlyCanonical(text, 64)]).toEqual([true, true]);
  });

  test.each([
    ['nothing', ''],
    ['a word that is none', 'nul'],
    ['two values', '1 2'],
    ['a comma too many', '[1,]'],
    ['a comma too few', '[1 2]'],
    ['a key without a value', '{"a"}'],
    ['a key that is none', '{1:2}'],
    ['a text that does not end', '"a'],
    ['a key that does not end', '{"a'],
    ['an object that does not end', '{"a":1'],
    ['an array that does not end', '[1'],
    ['the same key twice', '{"a":1,"a":1}'],
    ['keys in another order', '{"b":1,"a":1}'],
    ['keys in the order of numbers', '{"9":1,"10":1}'],
    ['a blank', '{"a": 1}'],
    ['a blank at the end', '1 '],
    ['a mark of the order of bytes', '\ufeff1'],
    ['a leading zero', '01'],
    ['minus zero', '-0'],
    ['a plus', '+1'],
    ['a point at the end', '1.'],
    ['a zero too many', '1.10'],
    ['another exponent', '1e21'],
    ['more than a double holds', '12345678901234567890'],
    ['no number', '-'],
    ['a number that is no JSON', '.5'],
    ['a number beyond all', '1e999'],
    ['an escape that need not be', '"\\u00e9"'],
    ['half a surrogate pair', '"\ud83d"'],
    ['a control character', '"\u0001"'],
    ['a line feed', '"\n"'],
  ])('%s: is not', (_, text) => {
    expect([oracle(text), isPlainlyCanonical(text, 64)]).toEqual([false, false]);
    expect(isPlainlyCanonical(`{"a":${text}}`, 64)).toBe(false);
  });

  test('what is nested deeper than it looks, or has escapes: is not told at a look', () => {
    expect(isPlainlyCanonical('[[{}]]', 3)).toBe(true);
    expect(isPlainlyCanonical('[[{}]]', 2)).toBe(false);
    expect(isPlainlyCanonical('"\\n"', 64)).toBe(false);
  });

  test('at a look, of whatever was changed in it', () => {
    const texts = keyed.map((value) => {
      try {
        return canonicalText(value);
      } catch {
        return '{}'; // halves of surrogate pairs
      }
    });
    const signs = Array.from('{}[]:,"\\-+.0123456789eEtruflasn \u00e9');
    const sign = fc.constantFrom(...signs);
    fc.assert(
      fc.property(texts, fc.nat(), fc.nat({ max: 2 }), sign, (text, place, gone, to) => {
        const index = place % (text.length + 1);
        const other = text.slice(0, index) + to + text.slice(index + gone);
        if (isPlainlyCanonical(other, 64)) expect(oracle(other)).toBe(true);
        expect(isPlainlyCanonical(text, 64)).toBe(!/[\\\p{Cc}]/u.test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('as other programs would, that is the same only where it is the same text', () => {
    fc.assert(
      fc.property(keyed, (value) => {
        const text = JSON.stringify(value);
        const parsed: unknown = JSON.parse(text);
        let canonical = null;
        try {
          canonical = canonicalText(parsed);
        } catch {
          // halves of surrogate pairs
        }
        expect(isCanonical(text, parsed)).toBe(canonical === text);
      }),
    );
  });
});

test('anchors beside the checkpoints of years', () => {
  const hashes = new Map(Array.from({ length: 300_000 }, (_, n) => [n + 1, 'x']));
  expect(checkAnchors([], hashes, believed)).toEqual({ anchored: 0, problems: [] });
});
