import { fc } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import { canonicalText, isCanonical, recordText } from '../../src/audit/bundle-lines.ts';
import { checkAnchors } from '../../src/audit/check-anchors.ts';
import { hashCanonical } from '../../src/audit/chain.ts';
import { signStatement } from '../../src/audit/checkpoint.ts';
import { endLine } from '../../src/audit/export-bundle.ts';
import { verifyBundle } from '../../src/audit/verify-bundle.ts';
import type { VerifiedBundle, VerifyOptions } from '../../src/audit/verify-bundle.ts';
import { newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import { believed, newTrail, sampleTrail, serverKey } from './sample-bundle.ts';

const sample = sampleTrail();
const lines = sample.whole();

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

type Line = Record<string, unknown> & { record: Record<string, unknown> };
const parse = (text: string | undefined): Line => JSON.parse(text ?? '{}') as Line;

const at = (action: string, chain: string): number =>
  lines.findIndex((text) => {
    const line = parse(text);
    return line['chain'] === chain && line.record['action'] === action;
  });
const checkpointAt = (number: number): number =>
  lines.findIndex((text) => text.includes(`"number":${number},`) && text.includes('"changed"'));

const begun = at('restart-begun', 'h1');
const ended = at('restart-ended', 'h1');

const without = (...indexes: number[]): string[] => lines.filter((_, i) => !indexes.includes(i));
const replaced = (index: number, text: string): string[] =>
  lines.map((line, i) => (i === index ? text : line));
const changed = (index: number, change: (line: Line) => void): string[] => {
  const line = parse(lines[index]);
  change(line);
  return replaced(index, canonicalText(line));
};
const spelled = (index: number, from: string | RegExp, to: string): string[] => {
  const text = lines[index] ?? '';
  expect(text).toMatch(from);
  return replaced(index, text.replace(from, to));
};

/** A record with another content, under the hash that fits this. */
const rehashed = (index: number, change: (record: Line['record']) => void): string[] =>
  changed(index, (line) => {
    change(line.record);
    line['hash'] = hashCanonical(line.record);
  });

/** The end of a bundle, signed over something else by somebody. */
const withEnd = (
  text: readonly string[],
  records: number,
  number: number,
  key = serverKey,
): string[] => {
  const checkpoint = sample.checkpoints[number - 1];
  const hash = checkpoint === undefined ? '0'.repeat(64) : hashCanonical(checkpoint);
  return [
    ...text,
    endLine({ of: 'export', records, checkpoint: { number, hash } }, new Date(), key),
  ];
};

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

const thief = newSigningKey();
const forged = sampleTrail(thief).whole();

/** A checkpoint with another content, signed anew by somebody. */
const resigned = (number: number, key: typeof serverKey, change: object): string[] =>
  changed(checkpointAt(number), (line) => {
    const statement = { ...(line['checkpoint'] as Line), ...change };
    delete statement['signature'];
    delete statement['keyId'];
    line['checkpoint'] = signStatement(statement, key);
  });

describe('manipulations', () => {
  test.each<[string, string[], RegExp]>([
    [
      'a detail edited',
      changed(ended, ({ record }) => (record['actor'] = 'agent h9')),
      /record 3 of the chain of h1 .* was changed: its hash does not fit/,
    ],
    [
      'an outcome edited, its hash made to fit',
      rehashed(ended, (record) => (record['outcome'] = 'failed')),
      /record 4 of the chain of h1 .* does not follow/,
    ],
    [
      'the last record of a chain edited, its hash made to fit',
      rehashed(lines.length - 3, (record) => (record['actor'] = 'x')),
      /checkpoint 3 has seen another record/,
    ],
    [
      'a time edited',
      changed(begun, ({ record }) => (record['at'] = '2026-11-28T10:00:00.000Z')),
      /was changed/,
    ],
    ['a field added', changed(begun, ({ record }) => (record['note'] = 'x')), /was changed/],
    ['a field taken away', changed(begun, ({ record }) => delete record['wave']), /was changed/],
    [
      'a field added beside the record',
      changed(begun, (line) => (line['note'] = 'x')),
      /is no record/,
    ],
    ['a record deleted', without(begun), /record 1 of the chain of h1 .* is missing/],
    [
      'several deleted',
      without(begun, begun + 1),
      /records 1 to 2 of the chain of h1 .* are missing/,
    ],
    ['the first of the server deleted', without(1), /record 1 of the server’s chain is missing/],
    [
      'a whole chain deleted',
      lines.filter((text) => parse(text)['chain'] !== 'h2'),
      /checkpoint 2 has seen 3 records of the chain of h2 .*, and 0 are here/,
    ],
    [
      'two of one chain swapped',
      lines.map((text, i) => lines[i === begun ? begun + 1 : i === begun + 1 ? begun : i] ?? text),
      /record 1 of the chain of h1 .* is missing/,
    ],
    [
      'two swapped and numbered anew',
      (() => {
        const [one, two] = [parse(lines[begun]), parse(lines[begun + 1])];
        const put = (line: Line, seq: number, previous: unknown): Line => {
          const record = { ...line.record, seq, previous };
          return { ...line, seq, record, hash: hashCanonical(record) };
        };
        const first = put(two, 1, one.record['previous']);
        const second = put(one, 2, first['hash']);
        return lines.map((text, i) =>
          i === begun ? canonicalText(first) : i === begun + 1 ? canonicalText(second) : text,
        );
      })(),
      /record 3 of the chain of h1 .* does not follow/,
    ],
    [
      'a record moved behind its checkpoint',
      [
        ...without(ended).slice(0, checkpointAt(1)),
        lines[ended] ?? '',
        ...lines.slice(checkpointAt(1) + 1),
      ],
      /checkpoint 1 has seen 3 records/,
    ],
    ['a record doubled', [...lines.slice(0, begun + 1), ...lines.slice(begun)], /is there twice/],
    [
      'a record of another chain put in',
      changed(at('restart-begun', 'h2'), (line) => (line['chain'] = 'h3')),
      /is one of h2/,
    ],
    [
      'a record said to be of another life',
      changed(begun, (line) => (line['life'] = 'other')),
      /says that it is another/,
    ],
    [
      'one hash edited',
      changed(begun, (line) => (line['hash'] = 'f'.repeat(64))),
      /its hash does not fit/,
    ],
    ['the end cut', lines.slice(0, -1), /its end was cut/],
    [
      'the end cut in the middle of a record',
      [...lines.slice(0, ended), (lines[ended] ?? '').slice(0, 40)],
      /is no JSON/,
    ],
    [
      'the tail cut, with the end put back',
      [...lines.slice(0, checkpointAt(2) + 1), lines.at(-1) ?? ''],
      /records were written into it|written up to checkpoint 3/,
    ],
    [
      'the tail cut, with an end of somebody else',
      withEnd(lines.slice(0, checkpointAt(2) + 1), 16, 2, thief),
      /is not one of yours/,
    ],
    ['the head cut', lines.slice(1), /its head was cut/],
    [
      'the head cut up to a checkpoint',
      (() => {
        const leaves = parse(lines[checkpointAt(1)])['changed'];
        return [
          canonicalText({
            type: 'start',
            format: 1,
            after: { checkpoint: sample.checkpoints[0], leaves },
          }),
          ...lines.slice(checkpointAt(1) + 1),
        ];
      })(),
      /begin after checkpoint 1: those before were cut/,
    ],
    [
      'a head that never was',
      (() => {
        const leaves = [['h1', 'life-of-h1', 3, 'a'.repeat(64)]];
        return [
          canonicalText({
            type: 'start',
            format: 1,
            after: { checkpoint: sample.checkpoints[0], leaves },
          }),
          ...lines.slice(checkpointAt(1) + 1),
        ];
      })(),
      /goes on from checkpoint 1, which is over other chains/,
    ],
    [
      'a checkpoint deleted',
      without(checkpointAt(2)),
      /checkpoints 2 to 2 are missing|checkpoint 3 has seen/,
    ],
    ['the last checkpoint deleted', without(checkpointAt(3)), /written up to checkpoint 3/],
    [
      'an old checkpoint replayed in place of a newer one',
      replaced(checkpointAt(3), lines[checkpointAt(2)] ?? ''),
      /checkpoint 2 is there twice, or an old one/,
    ],
    [
      'a checkpoint that does not tell of a chain',
      changed(checkpointAt(2), (line) => (line['changed'] as unknown[]).pop()),
      /checkpoint 2 has not seen the last records/,
    ],
    [
      'a root edited',
      changed(checkpointAt(2), (line) => ((line['checkpoint'] as Line)['root'] = 'a'.repeat(64))),
      /checkpoint 2 was changed: key .* has not signed it/,
    ],
    [
      'a root edited by who holds the key',
      resigned(2, serverKey, { root: 'a'.repeat(64) }),
      /checkpoint 2 is over other records: its root does not fit/,
    ],
    [
      'one checkpoint signed with another key',
      resigned(2, thief, {}),
      /checkpoint 2 is signed with key .*, which is not one of yours/,
    ],
    [
      'a checkpoint’s date edited',
      changed(
        checkpointAt(2),
        (line) => ((line['checkpoint'] as Line)['at'] = '2026-11-29T11:00:00.000Z'),
      ),
      /checkpoint 2 was changed/,
    ],
    [
      'a signature spelled another way',
      changed(checkpointAt(2), (line) => {
        const checkpoint = line['checkpoint'] as Line;
        checkpoint['signature'] = String(checkpoint['signature']).replace(
          /.==$/,
          (two) => `${two[0] === 'A' ? 'B' : String.fromCharCode((two.codePointAt(0) ?? 0) + 1)}==`,
        );
      }),
      /has a signature that is none|was changed/,
    ],
    [
      'all of it written anew and signed with another key',
      forged,
      /is signed with key .*, which is not one of yours/,
    ],
    [
      'the same, under the name of the right key',
      forged.map((text) => text.replaceAll(thief.id, serverKey.id)),
      /was changed: key .* has not signed it/,
    ],
    [
      'a number spelled another way',
      spelled(ended, '"took":0.1', '"took":1e-1'),
      /not spelled in the one canonical way/,
    ],
    [
      'a number with a zero more',
      spelled(ended, '"took":0.1', '"took":0.10'),
      /not spelled in the one canonical way/,
    ],
    [
      'a whole number as a decimal',
      spelled(begun, '"attempt":1', '"attempt":1.0'),
      /not spelled in the one canonical way/,
    ],
    [
      'a number that no double holds',
      spelled(begun, '"attempt":1', '"attempt":1.00000000000000000001'),
      /not spelled in the one canonical way/,
    ],
    [
      'minus zero',
      spelled(begun, '"attempt":1', '"attempt":-0'),
      /not spelled in the one canonical way|was changed/,
    ],
    [
      'a character spelled as an escape',
      spelled(ended, 'café', 'caf\\u00e9'),
      /not spelled in the one canonical way/,
    ],
    ['a character in another normal form', spelled(ended, 'café', 'cafe\u0301'), /was changed/],
    [
      'half a surrogate pair',
      spelled(ended, 'café', 'caf\\ud83d'),
      /holds what canonical JSON cannot|not spelled/,
    ],
    [
      'a key twice, the later one counting',
      spelled(begun, '"actor":', '"actor":"nobody","actor":'),
      /not spelled in the one canonical way/,
    ],
    [
      'a key twice, the earlier one counting elsewhere',
      spelled(begun, '"attempt":1', '"attempt":1,"attempt":2'),
      /not spelled|was changed/,
    ],
    [
      'keys in another order',
      spelled(
        begun,
        /^\{"chain":"h1",(.*),"type":"record"\}$/,
        '{$1,"chain":"h1","type":"record"}',
      ),
      /not spelled in the one canonical way/,
    ],
    [
      'a prototype smuggled in',
      spelled(begun, '"attempt":1', '"__proto__":{"attempt":2},"attempt":1'),
      /not spelled|was changed/,
    ],
    ['blanks', spelled(begun, ',"seq"', ', "seq"'), /not spelled in the one canonical way/],
    ['an empty line', [...lines.slice(0, 5), '', ...lines.slice(5)], /is no JSON/],
    [
      'a line of another kind',
      [...lines.slice(0, 5), '{"type":"note"}', ...lines.slice(5)],
      /is no line of a bundle/,
    ],
    ['something after the end', [...lines, lines[begun] ?? ''], /there is more after its end/],
    ['a second bundle after the first', [...lines, ...lines], /there is more after its end/],
    [
      'a second start in the middle',
      [...lines.slice(0, 5), lines[0] ?? '', ...lines.slice(5)],
      /another bundle begins in the middle/,
    ],
    ['another format', changed(0, (line) => (line['format'] = 2)), /is no start/],
    ['nothing', [], /it is empty/],
  ])('%s', async (_, text, what) => {
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
