import { describe, expect, test } from '@jest/globals';
import { fc, test as property } from '@fast-check/jest';
import { importsOf, moduleFiles } from '../../../src/core/stale/imports.ts';
import {
  interpreterOf,
  isJava,
  openedClasses,
  programOf,
} from '../../../src/core/stale/interpreted.ts';

describe('interpreted programs', () => {
  test.each([
    ['/usr/bin/python3.11', 'python'],
    ['/usr/local/bin/python3 (deleted)', 'python'],
    ['/usr/bin/perl', 'perl'],
    ['/usr/bin/ruby3.1', 'ruby'],
    ['/usr/bin/php8.2', 'php'],
    ['/usr/bin/nodejs', 'node'],
    ['/usr/sbin/php-fpm8.2', null],
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
    ['php' as const, 'php -d a=b artisan queue:work', script('artisan')],
    ['php' as const, 'php -f x.php -- y', script('x.php')],
    ['php' as const, 'php -S 0.0.0.0:80 router.php', script('router.php')],
    ['php' as const, 'php -r phpinfo(); x.php', null],
    ['node' as const, 'node --inspect=0 -r dotenv/config app.js', script('app.js')],
    ['node' as const, 'node --import tsx app.ts', script('app.ts')],
    ['node' as const, 'node -pe 1 app.js', null],
    ['node' as const, 'node --eval 1', null],
  ])('%s: %s', (interpreter, line, wanted) => {
    expect(programOf(interpreter, line.split(' '))).toEqual(wanted);
  });

  property.prop([
    fc.constantFrom(...(['python', 'perl', 'ruby', 'php', 'node'] as const)),
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
    const php =
      "<?php require 'a.php';\n$x = include_once(dirname(__FILE__).'/b.php');\nuse \\C\\D as E;\nuse function f;\n";
    expect(importsOf('php', php)).toEqual(['a.php', './b.php', 'C/D.php']);
    const node =
      "import a from 'a';\nexport * from './b.js';\nx(require('c/d'), await import('e'));\nimport 'node:fs';\n";
    expect(importsOf('node', node)).toEqual(['a', './b.js', 'c/d', 'e']);
    const manifest = '{ "main": "lib", "exports": { ".": { "import": "./m.mjs" } } }';
    expect(importsOf('node', manifest)).toEqual(['./lib', './m.mjs']);
  });

  test.each(['python', 'perl', 'ruby', 'php', 'node'] as const)(
    'blanks of %s are read once, whatever stands before them',
    (interpreter) => {
      const words = ['require', 'require(', 'from x import', 'use', 'import', '$a =', '"main":'];
      for (const word of words)
        expect(importsOf(interpreter, `${word}${' '.repeat(1 << 18)}!`)).toBeDefined();
    },
  );

  test('a file names so many modules and no more, and no name of any length', () => {
    const source = Array.from({ length: 5_000 }, (_, at) => `import m${at}\n`).join('');
    expect(importsOf('python', source)).toHaveLength(1_000);
    expect(importsOf('python', `import ${'x'.repeat(5_000)}, y`)).toEqual(['y']);
  });

  test('files of a module', () => {
    expect(moduleFiles('python', 'a.b')).toEqual(['a/b.py', 'a/b/__init__.py']);
    expect(moduleFiles('perl', 'A::B')).toEqual(['A/B.pm']);
    expect(moduleFiles('ruby', 'c.rb')).toEqual(['c.rb']);
    expect(moduleFiles('php', 'C/D.php')).toEqual(['C/D.php']);
    expect(moduleFiles('node', 'x.js')).toContain('x.js');
    expect(moduleFiles('node', 'x')).toEqual([
      ...['x.js', 'x.cjs', 'x.mjs', 'x/package.json', 'x/index.js'],
    ]);
  });
});
