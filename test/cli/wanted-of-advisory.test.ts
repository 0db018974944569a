import { afterEach, describe, expect, test } from '@jest/globals';
import { wantedOfAdvisory } from '../../src/cli/wanted-of-advisory.ts';
import type { AdvisoryDetail, AffectedPackage } from '../../src/core/advisories/advisory-views.ts';
import { commandLine } from './command-line.ts';
import type { CommandLine } from './command-line.ts';

const pending = (
  host: string,
  name: string,
  target: string | null,
  more: Partial<AffectedPackage> = {},
): AffectedPackage => ({
  ...{ host, package: name, arch: 'amd64', installed: '1', fixed: '2', state: 'pending', target },
  from: { package: name, held: false },
  ...{ reboot: false, wave: null, why: '' },
  ...more,
});

const detail = (...affected: AffectedPackage[]): AdvisoryDetail => ({
  ...{ feed: 'debian-lists', id: 'DSA-1-1', title: 'x', severity: 'high', exploited: false },
  ...{ cves: [], published: null, packages: [], hosts: 1, notInMirror: 0, decisions: [] },
  ...{ vendorSeverity: null, withdrawn: false, firstSeen: '', affected, containers: [] },
});

describe('the packages that an advisory asks for', () => {
  test('are those that lack the fix, in the version that the host is offered, each once', () => {
    const first = detail(
      pending('h1', 'libssl3', '2+b1'),
      pending('h1', 'libssl3', '2+b1', { arch: 'i386' }),
      pending('h1', 'openssl', '2'),
      pending('h1', 'libssl-doc', null, { state: 'applied' }),
      pending('h2', 'other', '9'),
    );
    const wanted = [
      { name: 'libssl3', want: 'at-least', version: '2+b1' },
      { name: 'openssl', want: 'at-least', version: '2' },
    ];
    expect(wantedOfAdvisory([first], ['h1'])).toEqual(wanted);
    // Another feed says the same.
    expect(wantedOfAdvisory([first, detail(pending('h1', 'openssl', '2'))], ['h1'])).toEqual(
      wanted,
    );
  });

  test('a kernel comes with its metapackage, and what one feed has already counts', () => {
    const kernel = { from: { package: 'linux-image-amd64', held: false } };
    const here = [
      pending('h1', 'linux-image-6.1.0-30-amd64', '6.1.140-1', kernel),
      pending('h1', 'linux-image-6.1.0-31-amd64', '6.1.140-1', kernel),
    ];
    const later = pending('h1', 'linux-image-6.1.0-30-amd64', null, { from: null });
    expect(wantedOfAdvisory([detail(later), detail(...here)], ['h1'])).toEqual([
      { name: 'linux-image-amd64', want: 'at-least', version: '6.1.140-1' },
    ]);
  });

  test.each<[string, AffectedPackage[], string[], string]>([
    [
      'nothing that is known',
      [],
      ['h1'],
      'h1 has no package that DSA-1-1 concerns, or is not enrolled, or has not reported',
    ],
    [
      'what is there already',
      [pending('h1', 'a', null, { state: 'applied' })],
      ['h1'],
      'h1 lacks no fix of DSA-1-1 that there is; see: groundswell advisory',
    ],
    [
      'what is held',
      [pending('h1', 'a', '2', { from: { package: 'a', held: true } })],
      ['h1'],
      'a is held on h1: release it there first',
    ],
    [
      'another version for each architecture',
      [pending('h1', 'a', '2'), pending('h1', 'a', '3', { arch: 'i386' })],
      ['h1'],
      'h1 is offered different versions of a (2, 3): name what it is to get, such as a:amd64=2',
    ],
    [
      'what is not offered yet',
      [pending('h1', 'a', '2'), pending('h1', 'b', null)],
      ['h1'],
      'the repositories of h1 do not have the fix of DSA-1-1 for b yet',
    ],
    [
      'a reboot',
      [pending('h1', 'linux-image', null, { reboot: true })],
      ['h1'],
      'h1 has the fix of DSA-1-1 installed, and an older kernel runs: reboot it',
    ],
    [
      'different versions',
      [pending('h1', 'a', '2'), pending('h2', 'a', '3')],
      ['h1', 'h2'],
      'h1 and h2 lack different fixes of DSA-1-1 (a 2; a 3): upgrade one after the other',
    ],
    [
      'one of two hosts',
      [pending('h1', 'a', '2'), pending('h2', 'a', null, { state: 'applied' })],
      ['h1', 'h2'],
      'h2 lacks no fix of DSA-1-1 that there is',
    ],
  ])('%s is no upgrade, and said', (_, affected, hosts, error) => {
    expect(() => wantedOfAdvisory([detail(...affected)], hosts)).toThrow(error);
  });
});

describe('`upgrade --advisory`', () => {
  let line: CommandLine;
  afterEach(() => line.close());

  test('asks for them', async () => {
    line = await commandLine({ '/v1/advisories/DSA-1-1': [detail(pending('h1', 'a', '2'))] });
    expect(await line.type('upgrade', 'h1', '--advisory', 'DSA-1-1')).toMatchObject({ code: 0 });
    expect(line.asked.map((body) => JSON.parse(body) as unknown)).toMatchObject([
      {
        action: {
          ...{ action: 'upgrade', hosts: ['h1'], mode: 'packages', allowRemove: false },
          packages: [{ name: 'a', want: 'at-least', version: '2' }],
        },
      },
    ]);
  });

  test('and never for all security updates in place of one', async () => {
    line = await commandLine({ '/v1/advisories/DSA-1-1': [detail()] });
    for (const argv of [['h1'], ['h1', 'libssl3']])
      expect(await line.type('upgrade', ...argv, '--advisory', 'DSA-1-1')).toMatchObject({
        code: 1,
      });
    expect(line.asked).toEqual([]);
  });
});
