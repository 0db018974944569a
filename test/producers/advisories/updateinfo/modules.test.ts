import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { readModules } from '../../../../src/producers/advisories/updateinfo/read-modules.ts';
import { updateinfoSource } from '../../../../src/producers/advisories/updateinfo/source.ts';
import { parsed } from '../feed-files.ts';
import { fixture, storedFile } from '../stored-files.ts';

const MODULES = 'almalinux/modules.yaml';

const read = async (content: Uint8Array | string) => {
  const found = { artifacts: new Map<string, string>(), problems: [] as string[] };
  for await (const one of readModules(storedFile('modules.yaml', content)))
    if (one.kind === 'artifact') found.artifacts.set(one.artifact, one.module);
    else found.problems.push(one.reason);
  return found;
};

const stream = (name: string, number: string, ...rpms: string[]): string =>
  `---\ndocument: modulemd\nversion: 2\ndata:\n  name: ${name}\n  stream: ${number}\n  artifacts:\n    rpms:\n${rpms.map((rpm) => `    - ${rpm}\n`).join('')}...\n`;

describe('modules.yaml', () => {
  test('a real form: packages by their streams; defaults say nothing', async () => {
    const { artifacts, problems } = await read(await fixtureText());
    expect(problems).toEqual([]);
    expect([...artifacts]).toEqual([
      ['mariadb-0:10.11.13-1.module_el9+123+abcdef.x86_64', 'mariadb:10.11'],
    ]);
  });

  test('a stream that looks like a number is read as it is written', async () => {
    const { artifacts } = await read(stream('perl', '5.30', 'perl-4:5.30.1-1.module_el8.x86_64'));
    expect([...artifacts.values()]).toEqual(['perl:5.30']);
  });

  test('what cannot be read is told, and the next one read', async () => {
    const { artifacts, problems } = await read(
      [
        '---\ndocument: modulemd\ndata: [\n',
        '---\ndocument: modulemd\ndata:\n  name: x\n',
        '---\ndocument: modulemd\na: &a [b]\ndata: *a\n',
        stream('../x', '1', 'x-0:1-1.noarch'),
        stream('php', '"7.4"', 'php-0:7.4.19-4.module_el8.x86_64'),
      ].join(''),
    );
    expect([...artifacts.values()]).toEqual(['php:7.4']);
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(
      [1, 2, 3, 4].map((number) => `document ${number}`),
    );
  });
});

const fixtureText = async (): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await fixture(MODULES)).read()) chunks.push(chunk);
  return Buffer.concat(chunks);
};

test('an update that names no stream has that of the repository it lies in', async () => {
  const pkg = (name: string, epoch: string) =>
    `<package name="${name}" epoch="${epoch}" version="7.4.19" release="4.module_el8+1" arch="x86_64"/>`;
  const updateinfo = `<updates><update type="security"><id>ALSA-2023:1</id><pkglist>
    <collection short="al8"><name>AlmaLinux 8</name>${pkg('php', '0')}${pkg('apcu', '')}${pkg('other', '0')}</collection>
    <collection short="al8"><name>AlmaLinux 8</name><module name="php" stream="8.0"/>${pkg('php-fpm', '0')}</collection>
  </pkglist></update></updates>`;
  const sum = createHash('sha256').update(updateinfo).digest('hex');
  const repomd = `<repomd><data type="updateinfo"><checksum type="sha256">${sum}</checksum><location href="repodata/u-updateinfo.xml"/></data></repomd>`;
  const rpms = ['php', 'apcu', 'php-fpm'].map((name) => `${name}-0:7.4.19-4.module_el8+1.x86_64`);
  const inRepository = [
    storedFile('a/repodata/repomd.xml', repomd),
    storedFile('a/repodata/u-updateinfo.xml', updateinfo),
  ];
  const modulesIn = async (...files: ReturnType<typeof storedFile>[]) =>
    (await parsed(updateinfoSource(), files)).advisories[0]?.affected.map(({ module }) => module);
  const modules = stream('php', '7.4', ...rpms);
  expect(
    await modulesIn(...inRepository, storedFile('a/repodata/m-modules.yaml', modules)),
  ).toEqual(['php:7.4', 'php:7.4', null, 'php:8.0']);
  expect(
    await modulesIn(...inRepository, storedFile('b/repodata/m-modules.yaml', modules)),
  ).toEqual([null, null, null, 'php:8.0']);
  expect(
    await modulesIn(storedFile('updateinfo.xml', updateinfo), storedFile('modules.yaml', modules)),
  ).toEqual(['php:7.4', 'php:7.4', null, 'php:8.0']);
});
