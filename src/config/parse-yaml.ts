import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import { errorText } from '../core/error-text.ts';
import type { Located, Place } from './located.ts';
import type { Problem } from './problem.ts';

/** More values than any configuration has; aliases can make ever more of them from a short file. */
const MAX_VALUES = 100_000;

export type ParsedYaml = { ok: true; value: Located } | { ok: false; problems: Problem[] };

const problemAt = (place: Place, message: string): Problem => ({ ...place, option: '', message });

/** What is wrong first brings on the others; of thousands nobody reads more. */
const MAX_FAULTS = 20;

const faultText = (code: string, message: string): string => {
  if (code === 'MULTIPLE_DOCS')
    return 'a second YAML document begins here: want one a file; more may stand in files of config.d';
  return message.startsWith('Maximum call stack')
    ? 'nested too deeply: no option lies so deep'
    : `not YAML: ${message}`;
};

/** Thrown inside the walk only. */
class YamlProblem extends Error {
  readonly place: Place;
  constructor(place: Place, message: string) {
    super(message);
    this.place = place;
  }
}

const locate = (document: Document, counter: LineCounter, file: string): Located => {
  let count = 0;
  const placeOfNode = (node: Node | null | undefined, fallback: Place): Place => {
    if (node?.range === undefined || node.range === null) return fallback;
    const { line, col } = counter.linePos(node.range[0]);
    return { file, line, column: col };
  };
  const entryOf = (
    { key, value }: Pair,
    place: Place,
    around: readonly Node[],
  ): [string, { keyPlace: Place; value: Located }] => {
    const keyPlace = placeOfNode(key as Node | null, place);
    const word = isScalar(key) ? key.value : null;
    if (typeof word !== 'string' && typeof word !== 'number')
      throw new YamlProblem(keyPlace, 'want a plain word as key');
    return [String(word), { keyPlace, value: walk(value as Node | null, keyPlace, around) }];
  };
  const walk = (node: Node | null, fallback: Place, around: readonly Node[]): Located => {
    const place = placeOfNode(node, fallback);
    if (++count > MAX_VALUES) throw new YamlProblem(place, 'too many values: are aliases nested?');
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined || around.includes(target))
        throw new YamlProblem(place, `*${node.source} stands for itself, or for nothing`);
      return walk(target, place, around);
    }
    const within = node === null ? around : [...around, node];
    if (isMap(node))
      return {
        kind: 'map',
        place,
        entries: new Map(node.items.map((pair) => entryOf(pair, place, within))),
      };
    if (isSeq(node))
      return {
        kind: 'list',
        place,
        items: node.items.map((item) => walk(item as Node | null, place, within)),
      };
    return { kind: 'scalar', place, value: isScalar(node) ? node.value : null };
  };
  return walk(document.contents, { file, line: 1, column: 1 }, []);
};

/** The values of a YAML 1.2 file with their places. An empty file is an empty mapping. */
export const parseYaml = (text: string, file: string): ParsedYaml => {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    return {
      ok: false,
      problems: faults.slice(0, MAX_FAULTS).map(({ code, pos, message }) => {
        const { line, col } = counter.linePos(pos[0]);
        return problemAt({ file, line, column: col }, faultText(code, message));
      }),
    };
  try {
    const value = locate(document, counter, file);
    if (value.kind === 'scalar' && value.value === null)
      return { ok: true, value: { kind: 'map', place: value.place, entries: new Map() } };
    if (value.kind !== 'map')
      return { ok: false, problems: [problemAt(value.place, 'want `option: value` lines')] };
    return { ok: true, value };
  } catch (error) {
    const place = error instanceof YamlProblem ? error.place : { file, line: null, column: null };
    return { ok: false, problems: [problemAt(place, errorText(error))] };
  }
};
