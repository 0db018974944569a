import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';
import type { Command } from 'commander';
import { readBundlePages } from '../../audit/bundle-file.ts';
import { Checkpoint } from '../../audit/checkpoint.ts';
import { verifyBundle } from '../../audit/verify-bundle.ts';
import type { VerifiedBundle } from '../../audit/verify-bundle.ts';
import { hasCode } from '../../core/error-code.ts';
import { errorText } from '../../core/error-text.ts';
import { printable } from '../../core/printable.ts';
import type { CliDependencies } from '../remote.ts';

export interface AuditVerifyDependencies extends Pick<CliDependencies, 'write' | 'setExitCode'> {
  /** Reads base64 of a public key (DER, SPKI); throws on what is none. */
  importKey: (base64: string) => { id: string; publicKey: KeyObject };
}

interface VerifyCommandOptions {
  key: string[];
  anchors?: string;
  partial?: boolean;
  underWay: string;
  json?: boolean;
}

/** A file that a person has named. */
const readNamed = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw hasCode(error, 'ENOENT')
      ? new Error(`there is no file ${path}`, { cause: error })
      : error;
  }
};

/** Lines of a file of keys, without what stands behind a `#`. */
const keysIn = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');

/** Base64 of an Ed25519 key (DER, SPKI): it always begins with the name of the algorithm. */
const wholeKey = /^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/;

/** A file that was named by mistake may hold secrets. */
const beginningOf = (line: string): string =>
  printable(line.length > 16 ? `${line.slice(0, 12)}…` : line);

const readKeys = async (
  given: readonly string[],
  importKey: AuditVerifyDependencies['importKey'],
): Promise<Map<string, KeyObject>> => {
  const keys = new Map<string, KeyObject>();
  for (const one of given) {
    if (/^MCowBQYDK2VwAyEA/.test(one) && !wholeKey.test(one) && !existsSync(one))
      throw new Error(
        `--key: ${one} is no whole public key: want what \`groundswell audit keys\` prints, or a file with that`,
      );
    const isKey = wholeKey.test(one);
    for (const base64 of isKey ? [one] : keysIn(await readNamed(one))) {
      let key;
      try {
        key = importKey(base64);
      } catch (error) {
        throw new Error(
          `${isKey ? '--key' : one}: "${beginningOf(base64)}" is no public key: want what \`groundswell audit keys\` prints`,
          { cause: error },
        );
      }
      keys.set(key.id, key.publicKey);
    }
  }
  if (keys.size === 0) throw new Error(`${given.join(', ')}: no key in it`);
  return keys;
};

/** Checkpoints of a file, one line of JSON each, whatever a system log has put before or between them. */
const readAnchors = async (path: string): Promise<unknown[]> => {
  const anchors = (await readNamed(path))
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => {
      try {
        return [JSON.parse(line.slice(Math.max(0, line.indexOf('{')))) as unknown];
      } catch {
        return []; // of another program, or broken off
      }
    })
    .filter((one) => Checkpoint.safeParse(one).success);
  // Nothing to compare with would show nothing, and look as if it had.
  if (anchors.length === 0)
    throw new Error(
      `--anchors: ${path} holds no checkpoint: want what was sent outside, one line of JSON each`,
    );
  return anchors;
};

const countOf = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

const verdictText = (path: string, verified: VerifiedBundle, anchors: number): string => {
  const { findings, found, records, chains, checkpoints, last, at, after, anchored, underWay } =
    verified;
  const lines = findings.map(({ line, what }) =>
    line === null ? `${path}: ${what}` : `${path}, line ${line}: ${what}`,
  );
  if (findings.length > 0)
    return [
      ...lines,
      `NOT INTACT: ${countOf(found, 'finding')}${found > findings.length ? `, of which these are the first ${findings.length}` : ''}`,
    ].join('\n');
  return [
    `intact: ${countOf(records, 'record')} in ${countOf(chains, 'chain')}, ${countOf(checkpoints, 'checkpoint')}, up to number ${last.number}; written ${at ?? '-'}`,
    ...(after > 0 ? [`It begins after checkpoint ${after}; what was before is not in it.`] : []),
    ...underWay.map(({ what }) => `Under way where it ends: ${printable(what)}`),
    anchors > 0
      ? `${countOf(anchored, 'checkpoint')} of it ${anchored === 1 ? 'was' : 'were'} sent outside as ${anchored === 1 ? 'it is' : 'they are'} here.`
      : 'Nothing outside was compared: whoever holds the key could have written all of it anew. See --anchors.',
  ].join('\n');
};

/** `groundswell audit verify`: whether an exported trail says what was written at the time. Needs no server. */
export const registerAuditVerify = (program: Command, deps: AuditVerifyDependencies): void => {
  const audit = program.commands.find((command) => command.name() === 'audit');
  if (audit === undefined) throw new Error('there is no command audit to add verify to');
  audit
    .command('verify')
    .description('check an exported trail, without a server')
    .argument('<file>', 'what `audit export` wrote, or a sealed file')
    .requiredOption(
      '--key <file or key>',
      "the server's public keys, from where you trust them: what `groundswell audit keys` or `server --show-key` printed; may be given more than once",
      (one: string, before: string[] | undefined) => [...(before ?? []), one],
    )
    .option('--anchors <file>', 'checkpoints that were kept outside, one line of JSON each')
    .option('--partial', 'it need not begin with the first record')
    .option(
      '--under-way <minutes>',
      'what the server saw begin in so long before the end may be under way',
      '60',
    )
    .option('--json', 'print JSON')
    .action(async (file: string, options: VerifyCommandOptions) => {
      const minutes = Number(options.underWay);
      if (!(minutes >= 0)) throw new Error('--under-way wants a number of minutes');
      const keys = await readKeys(options.key, deps.importKey);
      const anchors = options.anchors === undefined ? [] : await readAnchors(options.anchors);
      let verified;
      try {
        verified = await verifyBundle(readBundlePages(file), {
          ...{ keys, anchors, partial: options.partial === true, underWayMs: minutes * 60_000 },
        });
      } catch (error) {
        throw hasCode(error, 'ENOENT')
          ? new Error(`there is no file ${file}`, { cause: error })
          : new Error(`${file} cannot be read to its end: ${errorText(error)}`, { cause: error });
      }
      deps.write(
        `${options.json === true ? JSON.stringify(verified, null, 2) : verdictText(file, verified, anchors.length)}\n`,
      );
      if (verified.findings.length > 0) deps.setExitCode(1);
    });
};
