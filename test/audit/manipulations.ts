import { expect } from '@jest/globals';
import { canonicalText } from '../../src/audit/bundle-lines.ts';
import { hashCanonical } from '../../src/audit/chain.ts';
import { signStatement } from '../../src/audit/checkpoint.ts';
import { endLine } from '../../src/audit/export-bundle.ts';
import { newSigningKey } from '../../src/jobs/signing-key.ts';
import { sampleTrail, serverKey } from './sample-bundle.ts';

export const sample = sampleTrail();
export const lines = sample.whole();

export type Line = Record<string, unknown> & { record: Record<string, unknown> };
export const parse = (text: string | undefined): Line => JSON.parse(text ?? '{}') as Line;

const at = (action: string, chain: string): number =>
  lines.findIndex((text) => {
    const line = parse(text);
    return line['chain'] === chain && line.record['action'] === action;
  });
export const checkpointAt = (number: number): number =>
  lines.findIndex((text) => text.includes(`"number":${number},`) && text.includes('"changed"'));

export const begun = at('restart-begun', 'h1');
const ended = at('restart-ended', 'h1');

export const without = (...indexes: number[]): string[] =>
  lines.filter((_, i) => !indexes.includes(i));
export const replaced = (index: number, text: string): string[] =>
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
export const withEnd = (
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

export const thief = newSigningKey();
export const forged = sampleTrail(thief).whole();

/** A checkpoint with another content, signed anew by somebody. */
const resigned = (number: number, key: typeof serverKey, change: object): string[] =>
  changed(checkpointAt(number), (line) => {
    const statement = { ...(line['checkpoint'] as Line), ...change };
    delete statement['signature'];
    delete statement['keyId'];
    line['checkpoint'] = signStatement(statement, key);
  });

/** What may be done to a bundle, and what a verifier says of it. */
export const manipulations: [what: string, lines: string[], finding: RegExp][] = [
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
    spelled(begun, /^\{"chain":"h1",(.*),"type":"record"\}$/, '{$1,"chain":"h1","type":"record"}'),
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
];
