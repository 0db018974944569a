import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** What a real dnf or rpm printed; `test/fixtures/dnf/README.md` says which. */
export const recorded = (name: string): string => {
  const bytes = readFileSync(new URL(`../../fixtures/dnf/${name}`, import.meta.url));
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
};
