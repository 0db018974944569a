import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { changedSources } from '../../../src/host/proc/interpreted.ts';
import { importMemory } from '../../../src/host/proc/import-memory.ts';
import { list, searchPath } from '../../../src/host/proc/module-paths.ts';

let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'gs-interpreted-'));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

const put = (path: string, content = ''): void => {
  mkdirSync(dirname(join(base, 'root', path)), { recursive: true });
  writeFileSync(join(base, 'root', path), content);
};
const inRoot = (directory: string): string[] => list(join(base, 'root', directory));
const pid = 100;
const hourMs = 3_600_000;

/** Sources of a program that were changed since its start: an hour before the present, or an hour after it. */
const changed = (
  program: { exe: string; argv: string[]; environ?: string[]; fds?: string[] },
  started: 'before' | 'after',
): string[] => {
  const proc = join(base, 'proc', String(pid));
  rmSync(join(base, 'proc'), { recursive: true, force: true });
  mkdirSync(join(proc, 'fd'), { recursive: true });
  symlinkSync(program.exe, join(proc, 'exe'));
  symlinkSync('/srv', join(proc, 'cwd'));
  symlinkSync(join(base, 'root'), join(proc, 'root'));
  writeFileSync(join(proc, 'cmdline'), program.argv.map((word) => `${word}\0`).join(''));
  writeFileSync(join(proc, 'environ'), (program.environ ?? []).map((one) => `${one}\0`).join(''));
  (program.fds ?? []).forEach((target, at) => {
    symlinkSync(target, join(proc, 'fd', String(at)));
  });
  // It was started when the machine was.
  writeFileSync(join(base, 'proc/uptime'), '1000.00 1.00\n');
  const wallNowMs = Date.now() + 1_000_000 + (started === 'before' ? -hourMs : hourMs);
  const options = { memory: importMemory(), wallNowMs };
  return changedSources(join(base, 'proc'), { pid, startTime: '0' }, options);
};

describe('where interpreters look for modules', () => {
  test('Perl of Debian 12, as it says itself', () => {
    const inc = [
      ...['/etc/perl', '/usr/local/lib/x86_64-linux-gnu/perl/5.36.0'],
      ...['/usr/local/share/perl/5.36.0', '/usr/lib/x86_64-linux-gnu/perl5/5.36'],
      ...['/usr/share/perl5', '/usr/lib/x86_64-linux-gnu/perl-base'],
      ...['/usr/lib/x86_64-linux-gnu/perl/5.36', '/usr/share/perl/5.36'],
      '/usr/local/lib/site_perl',
    ];
    for (const directory of inc) put(`${directory}/A.pm`);
    expect(searchPath('perl', inRoot)).toEqual(expect.arrayContaining(inc));
  });

  test('Ruby of Debian 12, as it says itself', () => {
    const path = [
      ...['/usr/local/lib/site_ruby/3.1.0', '/usr/local/lib/x86_64-linux-gnu/site_ruby'],
      ...['/usr/local/lib/site_ruby', '/usr/lib/ruby/vendor_ruby/3.1.0'],
      ...['/usr/lib/x86_64-linux-gnu/ruby/vendor_ruby/3.1.0', '/usr/lib/ruby/vendor_ruby'],
      ...['/usr/lib/ruby/3.1.0', '/usr/lib/x86_64-linux-gnu/ruby/3.1.0'],
    ];
    for (const directory of path) put(`${directory}/a.rb`);
    expect(searchPath('ruby', inRoot)).toEqual(expect.arrayContaining(path));
  });
});

describe('sources that were changed since a program was started', () => {
  test('of Perl: the script, its modules by PERL5LIB and the search path, and theirs', () => {
    put('/srv/main.pl', 'use strict;\nuse Own;\nuse Proc::ProcessTable;\n');
    put('/srv/lib/Own.pm', 'require Text::Deep;\n');
    put('/usr/lib/x86_64-linux-gnu/perl5/5.36/Proc/ProcessTable.pm');
    put('/usr/share/perl5/Text/Deep.pm');
    put('/usr/share/perl5/Text/Other.pm');
    const program = {
      exe: '/usr/bin/perl',
      argv: ['perl', '-w', 'main.pl'],
      environ: ['HOME=/', 'PERL5LIB=/nowhere:lib'],
    };
    expect(changed(program, 'after')).toEqual([]);
    expect(changed(program, 'before').sort()).toEqual([
      ...['/srv/lib/Own.pm', '/srv/main.pl'],
      '/usr/lib/x86_64-linux-gnu/perl5/5.36/Proc/ProcessTable.pm',
      '/usr/share/perl5/Text/Deep.pm',
    ]);
  });

  test('of Ruby: the script, what it requires and loads, and theirs', () => {
    put('/srv/main.rb', "require 'json/common'\nload 'once.rb'\nrequire 'own'\n");
    put('/srv/lib/own.rb', 'require "set"\n');
    put('/srv/once.rb');
    put('/usr/lib/ruby/3.1.0/set.rb');
    put('/usr/lib/ruby/3.1.0/json/common.rb');
    put('/usr/lib/ruby/3.1.0/json/other.rb');
    const program = {
      exe: '/usr/bin/ruby3.1',
      argv: ['ruby', '/srv/main.rb'],
      environ: ['RUBYLIB=/srv/lib'],
    };
    expect(changed(program, 'after')).toEqual([]);
    expect(changed(program, 'before').sort()).toEqual([
      ...['/srv/lib/own.rb', '/srv/main.rb', '/srv/once.rb'],
      ...['/usr/lib/ruby/3.1.0/json/common.rb', '/usr/lib/ruby/3.1.0/set.rb'],
    ]);
  });

  test('of Java: archives that it holds open; what it made for itself and deleted is its own', () => {
    put('/srv/app.jar');
    put('/srv/replaced.jar');
    const program = {
      exe: '/usr/lib/jvm/java-17-openjdk-amd64/bin/java',
      argv: ['java', '-cp', '/srv/app.jar:/srv/unopened.jar', 'Main'],
      fds: [
        ...['/srv/app.jar', '/srv/replaced.jar (deleted)', '/srv/removed.jar (deleted)'],
        ...['/tmp/native.jar (deleted)', '/srv/data (deleted)', 'socket:[1]', '/dev/null'],
      ],
    };
    expect(changed(program, 'after')).toEqual(['/srv/removed.jar', '/srv/replaced.jar']);
    expect(changed(program, 'before')).toEqual([
      ...['/srv/app.jar', '/srv/removed.jar', '/srv/replaced.jar'],
    ]);
  });

  test('of PHP: the script, what it requires, and the classes that it uses', () => {
    put(
      '/srv/worker.php',
      "<?php\nrequire_once __DIR__ . '/lib/own.php';\nrequire 'Log.php';\nuse Psr\\Log\\NullLogger;\n",
    );
    put('/srv/lib/own.php', "<?php return require('helper.inc');\n");
    put('/srv/lib/helper.inc');
    put('/usr/share/php/Log.php', "<?php include_once 'Log/file.php';\n");
    put('/usr/share/php/Log/file.php');
    put('/usr/share/php/Psr/Log/NullLogger.php');
    put('/usr/share/php/Psr/Log/Other.php');
    const program = { exe: '/usr/bin/php8.2', argv: ['php', '-d', 'a=b', '-f', 'worker.php'] };
    expect(changed(program, 'after')).toEqual([]);
    expect(changed(program, 'before').sort()).toEqual([
      ...['/srv/lib/helper.inc', '/srv/lib/own.php', '/srv/worker.php', '/usr/share/php/Log.php'],
      ...['/usr/share/php/Log/file.php', '/usr/share/php/Psr/Log/NullLogger.php'],
    ]);
  });

  test('of Node: the program behind a link, its files, and packages on the way up and of Debian', () => {
    put(
      '/srv/app/bin/main.js',
      "#!/usr/bin/env node\nconst a = require('../lib/a'), fs = require('fs');\n",
    );
    put('/srv/app/lib/a.js', "import {\n  b,\n} from 'b';\nimport 'semver/ranges';\n");
    put('/srv/node_modules/b/package.json', '{ "name": "b", "main": "dist/b" }');
    put('/srv/node_modules/b/dist/b.js', "module.exports = require('c');\n");
    put('/srv/node_modules/b/unused.js');
    put('/srv/node_modules/b/node_modules/c/index.js');
    put('/srv/node_modules/c/index.js');
    put('/usr/share/nodejs/b/index.js');
    put('/usr/share/nodejs/semver/ranges.js');
    put('/usr/share/nodejs/fs/index.js');
    mkdirSync(join(base, 'root/srv/bin'));
    symlinkSync('../app/bin/main.js', join(base, 'root/srv/bin/tool'));
    const program = { exe: '/usr/bin/node', argv: ['node', '--require', 'x', 'bin/tool', 'start'] };
    expect(changed(program, 'after')).toEqual([]);
    expect(changed(program, 'before').sort()).toEqual([
      ...['/srv/app/bin/main.js', '/srv/app/lib/a.js', '/srv/node_modules/b/dist/b.js'],
      ...['/srv/node_modules/b/node_modules/c/index.js', '/srv/node_modules/b/package.json'],
      '/usr/share/nodejs/semver/ranges.js',
    ]);
  });
});
