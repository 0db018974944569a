import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalText } from '../../../src/audit/bundle-lines.ts';
import { checkpointLink } from '../../../src/audit/checkpoint.ts';
import type { Checkpoint } from '../../../src/audit/checkpoint.ts';
import { endLine, startLine } from '../../../src/audit/export-bundle.ts';
import type { VerifiedBundle } from '../../../src/audit/verify-bundle.ts';
import { registerAuditVerify } from '../../../src/cli/local/audit-verify.ts';
import { exportPublicKey, importPublicKey, verifyKeyOf } from '../../../src/jobs/signing-key.ts';
import type { LeafRow } from '../../../src/store/checkpoints.ts';
import { newTrail, sampleTrail, serverKey } from '../../audit/sample-bundle.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-verify-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const verify = async (
  file: string,
  key: string,
  ...more: string[]
): Promise<{ text: string; exitCode: number }> => {
  const program = new Command().exitOverride();
  const told = { text: '', exitCode: 0 };
  program.command('audit');
  registerAuditVerify(program, {
    write: (text) => (told.text += text),
    setExitCode: (code) => (told.exitCode = code),
    importKey: importPublicKey,
  });
  await program.parseAsync(['audit', 'verify', file, '--key', key, ...more], { from: 'user' });
  return told;
};

const written = async (name: string, lines: readonly string[]): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
};

test('a key that is none is said to be none, without the words of OpenSSL', async () => {
  const file = await written('keys', ['hostname']);
  await expect(verify('trail', file)).rejects.toThrow(
    new RegExp(
      `^${file}: "hostname" is no public key: want what \`groundswell audit keys\` prints$`,
    ),
  );
  await writeFile(file, '{"privateKey":"top secret"}\n');
  await expect(verify('trail', file)).rejects.toThrow(/keys: "\{"privateKey…" is no public key/);
  await expect(verify('trail', 'MCowBQYDK2VwAyEAabc')).rejects.toThrow(
    '--key: MCowBQYDK2VwAyEAabc is no whole public key',
  );
});

describe('a bundle', () => {
  const key = exportPublicKey(verifyKeyOf(serverKey));
  const sample = sampleTrail();
  const lines = sample.whole();
  const anchors = sample.checkpoints.map(canonicalText);
  const intact = 'intact: 22 records in 3 chains, 3 checkpoints, up to number 3; written ';

  test('as it was written, with its key given or in a file', async () => {
    const trail = await written('trail', lines);
    const keys = await written('keys', ['# ours', `${key} # since November`]);
    for (const given of [key, keys]) {
      const { text, exitCode } = await verify(trail, given);
      expect(exitCode).toBe(0);
      expect(text.startsWith(intact)).toBe(true);
      expect(text).toContain('\nNothing outside was compared: ');
    }
  });

  test('that was changed: each finding has its line', async () => {
    const trail = await written(
      'trail',
      lines.map((line, index) => (index === 3 ? line.replace('agent h1', 'agent h9') : line)),
    );
    const { text, exitCode } = await verify(trail, key);
    expect(exitCode).toBe(1);
    expect(text).toMatch(
      /^\S+trail, line 4: record 1 of the chain of h1 .* was changed: .*\nNOT INTACT: 1 finding\n$/,
    );
  });

  test('that is not there, or is no text', async () => {
    const none = join(directory, 'none');
    await expect(verify(none, key)).rejects.toThrow(`there is no file ${none}`);
    const trail = join(directory, 'trail');
    await writeFile(trail, Buffer.concat([Buffer.from(`${lines[0] ?? ''}\n`), Buffer.of(0xff)]));
    await expect(verify(trail, key)).rejects.toThrow(
      `${trail} cannot be read to its end: line 2 has bytes that are not UTF-8`,
    );
  });

  test('--json: what was found, as it is', async () => {
    const cut = await written('trail', lines.slice(1));
    const { text, exitCode } = await verify(cut, key, '--json');
    expect(exitCode).toBe(1);
    const verified = JSON.parse(text) as VerifiedBundle;
    expect(verified).toMatchObject({ records: 22, checkpoints: 3, underWay: [] });
    expect(verified.findings[0]).toMatchObject({ line: 1 });
  });

  describe('--anchors', () => {
    test('that are in it, among lines of a system log', async () => {
      const kept = await written('kept', [
        `Nov 29 10:00:01 srv groundswell: ${anchors[0] ?? ''}`,
        'Nov 29 10:00:02 srv sshd[1]: {"no":"checkpoint"}',
        '{"kind":"groundswell-che',
        anchors[1] ?? '',
      ]);
      const { text, exitCode } = await verify(
        await written('trail', lines),
        key,
        '--anchors',
        kept,
      );
      expect(exitCode).toBe(0);
      expect(text).toContain('\n2 checkpoints of it were sent outside as they are here.\n');
    });

    test('that are not in it', async () => {
      const kept = await written('kept', anchors);
      const other = newTrail();
      other.record('h1');
      other.checkpoint();
      const trail = await written('trail', other.whole());
      const { text, exitCode } = await verify(trail, key, '--anchors', kept);
      expect(exitCode).toBe(1);
      expect(text).toContain('checkpoint 1 is not the one that was sent outside');
    });

    test.each([
      ['an empty file', ''],
      ['a file of something else', 'Nov 29 10:00:02 srv sshd[1]: {"no":"checkpoint"}'],
    ])('of which there are none, in %s: an error', async (_, text) => {
      const trail = await written('trail', lines);
      const kept = await written('kept', [text]);
      await expect(verify(trail, key, '--anchors', kept)).rejects.toThrow(
        `--anchors: ${kept} holds no checkpoint`,
      );
    });
  });

  /** What a server seals: from its first checkpoint to its second, and a restart that is not over. */
  const sealed = (): string[] => {
    const trail = newTrail();
    trail.record('h1');
    trail.checkpoint();
    const { changed: leaves } = JSON.parse(trail.lines[1] ?? '') as { changed: LeafRow[] };
    trail.record('h1', { action: 'restart-begun', subject: 'h1/web-01', grant: 'g1' });
    trail.checkpoint();
    const [checkpoint, last] = trail.checkpoints as [Checkpoint, Checkpoint];
    const end = { of: 'segment', records: 1, checkpoint: checkpointLink(last) } as const;
    return [
      startLine({ checkpoint, leaves }),
      ...trail.lines.slice(2),
      endLine(end, new Date('2027-03-01T00:00:00Z'), serverKey),
    ];
  };

  test('--partial: a sealed file by itself, whose last restart ends in the next', async () => {
    const trail = await written('sealed', sealed());
    const whole = await verify(trail, key);
    expect(whole.exitCode).toBe(1);
    expect(whole.text).toContain('its records begin after checkpoint 1: those before were cut');
    expect(whole.text).toContain('it is a part that was sealed away, not a whole trail');
    const { text, exitCode } = await verify(trail, key, '--partial');
    expect(exitCode).toBe(0);
    expect(text).toContain('\nIt begins after checkpoint 1; what was before is not in it.\n');
    expect(text).toContain('\nUnder way where it ends: the restart of h1/web-01 (grant g1, ');
  });

  test.each([
    // The last checkpoint is two hours older than the end.
    ['121', 0],
    ['120', 1],
    ['0', 1],
  ])('--under-way %s', async (minutes, wanted) => {
    const begun = newTrail();
    begun.record('h1', { action: 'restart-begun', subject: 'h1/web-01', grant: 'g1' });
    begun.checkpoint();
    const trail = await written('trail', begun.whole());
    const { text, exitCode } = await verify(trail, key, '--under-way', minutes);
    expect(exitCode).toBe(wanted);
    expect(text).toContain(
      wanted === 0 ? 'Under way where it ends: ' : 'has no outcome\nNOT INTACT: ',
    );
  });

  test.each(['-1', 'x'])('--under-way %s: is no number of minutes', async (minutes) => {
    const trail = await written('trail', lines);
    await expect(verify(trail, key, `--under-way=${minutes}`)).rejects.toThrow(
      '--under-way wants a number of minutes',
    );
  });
});
