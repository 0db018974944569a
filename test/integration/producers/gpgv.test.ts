import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { gpgv } from '../../../src/producers/advisories/apt-security/gpgv.ts';
import { unchecked } from '../../../src/producers/advisories/apt-security/signed-text.ts';

const fixtures = new URL('../../fixtures/feeds/apt-security/', import.meta.url).pathname;
const release = readFileSync(`${fixtures}InRelease`);
const keyring = `${fixtures}keyring.gpg`;

const text = (content: Uint8Array): string => Buffer.from(content).toString('utf8').trim();

describe('gpgv', () => {
  test('takes what a key of the keyring has signed, though another key signed it too', async () => {
    const [checked, plain] = [await gpgv([keyring])(release), await unchecked(release)];
    if (!checked.ok || !plain.ok) throw new Error(JSON.stringify([checked, plain]));
    expect(text(checked.content)).toBe(text(plain.content));
  });

  test('gives nothing of what stands outside of the signed text', async () => {
    const more = Buffer.concat([Buffer.from('Origin: Else\n\n'), release, Buffer.from('X: y\n')]);
    const checked = await gpgv([keyring])(more);
    if (checked.ok) expect(text(checked.content)).not.toMatch(/Origin: Else|X: y/);
  });

  test('says what to install where it is not there', async () => {
    expect(await gpgv([keyring], 'gpgv-that-is-not-there')(release)).toEqual({
      ok: false,
      reason: 'gpgv-that-is-not-there is not installed (package gpgv; with dnf gnupg2)',
    });
  });

  test.each([
    [
      'a changed text',
      Buffer.from(release.toString('latin1').replace('12', '13'), 'latin1'),
      keyring,
      /BADSIG/,
    ],
    ['no signature', Buffer.from('Origin: Debian\n'), keyring, /^gpgv: it has no good signature$/],
    ['nothing', Buffer.alloc(0), keyring, /^gpgv: it has no good signature$/],
    [
      'a keyring that is not there',
      release,
      '/nonexistent.gpg',
      /the keyring cannot be read: ENOENT/,
    ],
    ['a keyring that is none', release, `${fixtures}README.md`, /no key of|gpgv/],
  ])('refuses %s', async (_, signed, keys, reason) => {
    expect(await gpgv([keys])(signed)).toEqual({
      ok: false,
      reason: expect.stringMatching(reason),
    });
  });
});
