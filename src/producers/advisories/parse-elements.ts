import type { ParsedRecord } from '../../core/advisories/advisory.ts';
import type { AdvisorySource } from './feed-file.ts';
import { jsonElements } from './json-elements.ts';
import { problem } from './parsed-record.ts';

/** The `parse` of a source whose records are the elements of an array in JSON, the member `key` of each document. */
export const parseElements = (
  key: string,
  noun: string,
  recordsOf: (file: string, number: number, value: unknown) => Iterable<ParsedRecord>,
): AdvisorySource['parse'] =>
  async function* (files) {
    for await (const file of files)
      for await (const element of jsonElements(file.read(), [key])) {
        if (element.kind === 'value') yield* recordsOf(file.name, element.number, element.value);
        else if (element.kind === 'bad')
          yield problem(file.name, `${noun} ${element.number}`, '', element.reason);
        else yield problem(file.name, '', '', element.reason);
      }
  };
