import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** An answer that others gave, as it was recorded. */
export const oracle = (name: string): string => {
  const content = readFileSync(new URL(`../../fixtures/matching/${name}`, import.meta.url));
  return (name.endsWith('.gz') ? gunzipSync(content) : content).toString();
};

/** The lines of a table with tabs, by the names in its first line. */
export const tableOf = <K extends string>(text: string): Record<K, string>[] => {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map(
    (line) =>
      Object.fromEntries(line.split('\t').map((value, at) => [names[at] ?? '', value])) as Record<
        K,
        string
      >,
  );
};
