import { describe, expect, test } from '@jest/globals';
import { fc, test as property } from '@fast-check/jest';
import {
  importsOf,
  interpreterOf,
  isJava,
  moduleFiles,
  openedClasses,
  programOf,
} from '../../../src/core/stale/interpreted.ts';

describe('interpreted programs', () => {
  test.each([
    ['/usr/bin/python3.11', 'python'],
    ['/usr/local/bin/python3 (deleted)', 'python'],
    ['/usr/bin/perl', 'perl'],
    ['/usr/bin/ruby3.1', 'ruby'],
    ['/tmp/python3', null],
    ['/usr/bin/pythonic', null],
  ])('%s', (path, wanted) => {
    expect(interpreterOf(path)).toBe(wanted);
  });

  test.each([
    ['/usr/lib/jvm/java-17-openjdk-amd64/bin/java', true],
    ['/opt/jdk/bin/java (deleted)', true],
    ['/usr/bin/java', true],
    ['/bin/java', false],
    ['/usr/bin/javac', false],
  ])('%s is Java: %s', (path, wanted) => {
    expect(isJava(path)).toBe(wanted);
  });

  // As a Java 17 of Debian 12 showed them while its archives were replaced.
  test.each([
    ['/srv/app.jar', { path: '/srv/app.jar', deleted: false }],
    ['/srv/app.jar (deleted)', { path: '/srv/app.jar', deleted: true }],
    ['/srv/a/Main.class', { path: '/srv/a/Main.class', deleted: false }],
    ['/usr/lib/jvm/java-17-openjdk-amd64/lib/modules', null],
    ['/srv/jar', null],
    ['socket:[1234]', null],
  ])('an open %s', (link, wanted) => {
    expect(openedClasses(link)).toEqual(wanted);
  });

  const script = (path: string) => ({ kind: 'script', path });
  test.each([
    ['python' as const, 'python3 -u -W ignore app.py --x', script('app.py')],
    ['python' as const, 'python3 -Wignore -X dev app.py', script('app.py')],
    ['python' as const, 'python3 -Im http.server 80', { kind: 'module', name: 'http.server' }],
    ['python' as const, 'python3 -c print() app.py', null],
    ['python' as const, 'python3 -', null],
    ['python' as const, 'python3', null],
    ['python' as const, 'python3 -- -odd.py', script('-odd.py')],
    ['perl' as const, 'perl -w -I lib -Mstrict /srv/x.pl', script('/srv/x.pl')],
    ['perl' as const, 'perl -ne print', null],
    ['ruby' as const, 'ruby -r json -W2 x.rb', script('x.rb')],
  ])('%s: %s', (interpreter, line, wanted) => {
    expect(programOf(interpreter, line.split(' '))).toEqual(wanted);
  });

  property.prop([
    fc.constantFrom('python' as const, 'perl' as const, 'ruby' as const),
    fc.array(fc.string()),
  ])('any command line is read to its end', (interpreter, argv) => {
    const program = programOf(interpreter, argv);
    if (program !== null)
      expect(argv.join('\0')).toContain(program.kind === 'script' ? program.path : program.name);
  });

  test('imports', () => {
    const python =
      'import os, json as j\nfrom a.b import (c, d)\n  import late\nfrom . import near\n';
    expect(importsOf('python', python)).toEqual([
      ...['os', 'json', 'a.b', 'a.b.c', 'a.b.d', 'late', 'near'],
    ]);
    expect(importsOf('perl', 'use strict;\nuse A::B qw(c);\n require C;\n# use D;\n')).toEqual([
      'A::B',
      'C',
    ]);
    expect(importsOf('ruby', 'require "a/b"\nload("c.rb")\n')).toEqual(['a/b', 'c.rb']);
  });

  test('files of a module', () => {
    expect(moduleFiles('python', 'a.b')).toEqual(['a/b.py', 'a/b/__init__.py']);
    expect(moduleFiles('perl', 'A::B')).toEqual(['A/B.pm']);
    expect(moduleFiles('ruby', 'c.rb')).toEqual(['c.rb']);
  });
});
