import { parse } from 'yaml';
import { z } from 'zod';
import { errorText } from '../../../core/error-text.ts';
import type { FeedFile } from '../feed-file.ts';
import { linesOf } from '../lines-of.ts';
import { RpmModule } from '../rpm-row.ts';

/** What of a document of `modules.yaml` tells which packages are of which stream (libmodulemd, modulemd 2). */
const Stream = z.object({
  document: z.literal('modulemd'),
  data: z.object({
    name: z.string(),
    // Without quotes some streams are numbers, and `5.10` would be another one: read as it is written.
    stream: z.string(),
    artifacts: z.object({ rpms: z.array(z.string().max(600)) }).nullish(),
  }),
});

/** The largest streams have some thousand packages. */
const MAX_DOCUMENT = 4_000_000;

/** One document as text, from the line after `---` to the next of them or `...`. */
const documentsOf = async function* (file: FeedFile): AsyncGenerator<string> {
  let lines: string[] = [];
  let length = 0;
  for await (const line of linesOf(file.read())) {
    if (/^(?:---|\.\.\.)(?:\s|$)/.test(line)) {
      if (lines.length > 0) yield lines.join('\n');
      lines = [];
      length = 0;
      continue;
    }
    length += line.length + 1;
    if (length > MAX_DOCUMENT)
      throw new Error(`a document has more than ${MAX_DOCUMENT} characters`);
    lines.push(line);
  }
  if (lines.length > 0) yield lines.join('\n');
};

/** `name-epoch:version-release.arch`, as streams list their packages. */
export const artifactOf = (one: {
  name: string;
  epoch?: string | null | undefined;
  version: string;
  release: string;
  arch: string;
}): string => {
  const epoch = one.epoch === undefined || one.epoch === null || one.epoch === '' ? '0' : one.epoch;
  return `${one.name}-${epoch}:${one.version}-${one.release}.${one.arch}`;
};

export type ReadModules =
  { kind: 'artifact'; artifact: string; module: string } | { kind: 'problem'; reason: string };

/**
 * Which packages of a repository are of which module stream (`name:stream`), by its `modules.yaml`. Documents of other kinds
 * say nothing of that; one that cannot be read is told, and the next one is read. Never throws for what is in it.
 */
export const readModules = async function* (file: FeedFile): AsyncGenerator<ReadModules> {
  try {
    let number = 0;
    for await (const text of documentsOf(file)) {
      number += 1;
      if (!/^document:\s*["']?modulemd["']?\s*$/m.test(text)) continue;
      try {
        const { data } = Stream.parse(parse(text, { schema: 'failsafe', maxAliasCount: 0 }));
        const module = RpmModule.parse(`${data.name}:${data.stream}`);
        for (const artifact of data.artifacts?.rpms ?? [])
          yield { kind: 'artifact', artifact, module };
      } catch (error) {
        const reason = errorText(error).split('\n')[0] ?? '';
        yield { kind: 'problem', reason: `document ${number}: ${reason.slice(0, 200)}` };
      }
    }
  } catch (error) {
    yield { kind: 'problem', reason: errorText(error) };
  }
};
