import { z } from 'zod';
import { errorText } from '../../core/error-text.ts';
import { Unreadable } from '../../core/unreadable.ts';
import { parseRpmList } from '../../core/advisories/parse-rpm-list.ts';

/** A version that a repository has; `version` is `[epoch:]version-release`. */
export interface RpmOffer {
  name: string;
  arch: string;
  version: string;
  source: string;
  sourceVersion: string;
  repository: string;
}

/** What an advisory says of one package. */
export interface OfferedAdvisory {
  id: string;
  security: boolean;
  name: string;
  arch: string;
  version: string;
}

/** Columns of `repoquery`: the first as `parseRpmList` has them. dnf 5 ends no line by itself. */
export const offerFormat =
  '%{name}\t%{epoch}\t%{version}\t%{release}\t%{arch}\t%{sourcerpm}\t%{repoid}\n';

export const parseOffers = (output: string): RpmOffer[] =>
  output.split('\n').flatMap((line) => {
    const columns = line.split('\t');
    if (columns.length !== 7) return [];
    const repository = columns[6] ?? '';
    return parseRpmList(columns.slice(0, 6).join('\t')).map(
      ({ name, arch, version, source, sourceVersion }) => ({
        ...{ name, arch, version, repository },
        source: source ?? name,
        sourceVersion: sourceVersion ?? version,
      }),
    );
  });

/** `gs-one-1:1.0-2.el9.noarch` → its parts; null: none. */
const parseNevra = (text: string): Pick<RpmOffer, 'name' | 'arch' | 'version'> | null => {
  const [, name, version, arch] = /^(.+)-((?:\d+:)?[^-]+-[^-]+)\.([^.]+)$/.exec(text) ?? [];
  if (name === undefined || version === undefined || arch === undefined) return null;
  return { name, arch, version: version.replace(/^0:/, '') };
};

/**
 * Lines of dnf 4's `updateinfo list`: id, kind with severity, package. What is longer than the terminal is not
 * broken there.
 */
const parseLines = (output: string): OfferedAdvisory[] =>
  output.split('\n').flatMap((line) => {
    // `i` before the id: installed already; dates may stand at the end of a line.
    const [, id, kind = '', nevra = ''] = /^(?:i )?\s*(\S+)\s+(\S+)\s+(\S+)/.exec(line) ?? [];
    const parts = parseNevra(nevra);
    if (id === undefined || parts === null) return [];
    return [{ id, security: /(?:\/Sec\.|^security)$/.test(kind), ...parts }];
  });

const JsonAdvisories = z.array(z.object({ name: z.string(), type: z.string(), nevra: z.string() }));

const readJson = (output: string): z.infer<typeof JsonAdvisories> => {
  try {
    return JsonAdvisories.parse(JSON.parse(output.trim() === '' ? '[]' : output));
  } catch (error) {
    const why = error instanceof z.ZodError ? 'it has no name, type and nevra' : errorText(error);
    throw new Unreadable(
      'output of dnf advisory list --json',
      output,
      `${why}; run it by hand: a plugin that writes beside the JSON has to go`,
    );
  }
};

/** JSON of dnf 5's `advisory list`. */
const parseJson = (output: string): OfferedAdvisory[] =>
  readJson(output).flatMap(({ name: id, type, nevra }) => {
    const parts = parseNevra(nevra);
    return parts === null ? [] : [{ id, security: type === 'security', ...parts }];
  });

export const parseAdvisoryList = (output: string, generation: 4 | 5): OfferedAdvisory[] =>
  generation === 5 ? parseJson(output) : parseLines(output);

/**
 * What dnf itself would upgrade to, by `name.arch`: `check-update` prints name, version and repository, each where
 * there is room for it, and after a heading what would be obsoleted.
 */
export const parseCheckUpdate = (output: string): Map<string, string> => {
  const candidates = new Map<string, string>();
  const [updates = ''] = output.split(/^Obsoleting [Pp]ackages:?$/m);
  let words: string[] = [];
  for (const line of updates.split('\n')) {
    if (!line.startsWith(' ')) words = [];
    words.push(...line.split(/\s+/).filter((word) => word !== ''));
    const [name = '', version = ''] = words;
    if (words.length !== 3 || !/^.+\.[^.]+$/.test(name) || !/^\S+-\S+$/.test(version)) continue;
    candidates.set(name, version.replace(/^0:/, ''));
  }
  return candidates;
};

/** Ids in what `repolist` prints, below its heading. */
export const parseRepositoryIds = (output: string): string[] => {
  const lines = output.split('\n').map((line) => line.trim());
  const heading = lines.findIndex((line) => /^repo id\s/.test(line));
  if (heading < 0) return [];
  return lines.slice(heading + 1).flatMap((line) => /^(\S+)/.exec(line)?.[1] ?? []);
};
