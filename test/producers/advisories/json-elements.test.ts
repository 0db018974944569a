import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import { jsonElements, type JsonElement } from '../../../src/producers/advisories/json-elements.ts';

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const elements = async (text: string, size = 7, keys = ['data']): Promise<JsonElement[]> => {
  const found: JsonElement[] = [];
  for await (const element of jsonElements(pieces(text, size), keys)) found.push(element);
  return found;
};
const values = async (text: string, size?: number): Promise<unknown[]> =>
  (await elements(text, size)).map((element) =>
    element.kind === 'value' ? element.value : element.reason,
  );

describe('the elements of a document', () => {
  test.prop([
    fc.array(fc.jsonValue({ maxDepth: 4 })),
    fc.dictionary(fc.string(), fc.string()),
    fc.integer({ min: 1, max: 40 }),
    fc.constantFrom(undefined, 1, '\t'),
  ])(
    'are those of the array, however it is cut into pieces',
    async (list, others, size, indent) => {
      const plain = JSON.parse(JSON.stringify(list)) as unknown[];
      expect(await values(JSON.stringify(list, null, indent), size)).toEqual(plain);
      const wrapped = { a: 'data', ...others, data: list, z: [1, 2] };
      const direct = Object.values(wrapped).filter(Array.isArray).length;
      expect(direct).toBe(2);
      expect(await values(JSON.stringify(wrapped, null, indent), size)).toEqual(plain);
    },
  );

  test('a document that has no such array is the element', async () => {
    expect(await values('{"x": {"data": [1]}, "y": [2]}')).toEqual([{ x: { data: [1] }, y: [2] }]);
  });

  test('a bad element is told, the others are kept', async () => {
    const found = await elements('{"data": [{"a": 1}, {"a" 2}, {"a": 3}]}');
    expect(found.map(({ kind }) => kind)).toEqual(['value', 'bad', 'value']);
  });

  test.each([
    ['{"data": [1, 2, {"a"', [1, 2, 'it ends before its end']],
    ['', ['it is empty']],
    [' \n', ['it is empty']],
    ['[1]]', [1, 'it closes more than it opens']],
    [`[1, ${'['.repeat(200)}`, [1, 'it is nested more than 100 deep']],
  ])('%j', async (text, expected) => {
    expect(await values(text)).toEqual(expected);
  });

  test('one element beyond all bounds is left out', async () => {
    const found = await elements(`[1, "${'a'.repeat(49_000_000)}", 3]`, 1_000_000);
    expect(found.map(({ kind }) => kind)).toEqual(['value', 'bad', 'value']);
  });
});
