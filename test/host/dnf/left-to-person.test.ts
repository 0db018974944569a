import { describe, expect, test } from '@jest/globals';
import { firstDamage, parseOwnFiles, rpmLabel } from '../../../src/host/dnf/left-to-person.ts';
import { damagedDatabase } from '../../../src/host/dnf/name-failure.ts';
import { recorded } from './recorded.ts';

test('a version as every rpm takes it', () => {
  const bind = { name: 'bind', arch: 'x86_64' };
  expect(rpmLabel(bind, '32:9.16-1.el9')).toBe('bind-9.16-1.el9.x86_64');
  expect(rpmLabel(bind, '9.16-1.el9')).toBe('bind-9.16-1.el9.x86_64');
});

test('files that a package has, without its directories', () => {
  expect([...parseOwnFiles(recorded('rpm-files.tsv'))]).toEqual([
    ...['/etc/gs-torn.conf', '/usr/share/doc/gs-torn/README', '/usr/share/gs-torn/link'],
    ...['/usr/share/gs-torn/one', '/usr/share/gs-torn/two'],
  ]);
  expect(parseOwnFiles('').size).toBe(0);
});

describe('a package that is whole', () => {
  test('may have its configuration changed, documentation missing, and times and modes that are others', () => {
    expect(firstDamage(recorded('rpm-verify-changed.txt'))).toBeNull();
    expect(firstDamage('')).toBeNull();
  });

  test.each([
    ['rpm-verify-missing.txt', '/usr/share/gs-torn/two'],
    ['rpm-verify-other.txt', '/usr/share/gs-torn/one'],
  ])('has no other file: %s', (name, path) => {
    expect(firstDamage(recorded(name))).toBe(path);
  });
});

test('a database that rpm cannot read is for a person to rebuild', () => {
  const failure = damagedDatabase(recorded('rpm-damaged-database.txt'), '/var/lib/rpm');
  expect(failure?.remedy).toMatch(/save a copy of \/var\/lib\/rpm, then `rpm --rebuilddb`/);
  expect(damagedDatabase('rpm: it ended with status 1', '/var/lib/rpm')).toBeNull();
});
