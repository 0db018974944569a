import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fc } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { Unreadable } from '../../src/core/unreadable.ts';
import { isLong, mutatedBytes } from './mutations.ts';

/** Always the same few changes, or many others (`npm run test:unit:long`). */
const runs = isLong ? { numRuns: 10_000 } : { numRuns: 200, seed: 4 };

/** Of a longer file so much is enough. */
const longest = 12_000;
const sample = (name: string): Buffer => {
  const bytes = readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).subarray(0, longest);
};

/** What is read of a text: its form is looked at, so that nothing half read goes on as a value. */
export interface Input {
  /** Names of fixtures, or what they would hold. */
  samples: readonly (string | Buffer)[];
  read: (text: string) => unknown;
  form: z.ZodType;
}

const answered = async ({ read, form }: Input, text: string): Promise<void> => {
  let value: unknown;
  try {
    value = await read(text);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    expect(error.message.length).toBeLessThan(1_500);
    expect([error.place, error.remedy]).not.toContain('');
    return;
  }
  expect(form.safeParse(value).error?.issues ?? []).toEqual([]);
};

/** Each input as it is, and changed at random: it is read as what it says, or refused with place and remedy; never is anything else thrown. */
export const testInputs = (inputs: Readonly<Record<string, Input>>): void => {
  describe.each(Object.entries(inputs))('%s', (_, input) => {
    const samples = input.samples.map((one) => (typeof one === 'string' ? sample(one) : one));

    test('as it is', async () => {
      for (const one of samples) await answered(input, one.toString());
    });

    test('changed at random', async () => {
      const changed = fc.constantFrom(...samples).chain(mutatedBytes);
      await fc.assert(
        fc.asyncProperty(changed, (bytes) => answered(input, bytes.toString())),
        runs,
      );
    });
  });
};
