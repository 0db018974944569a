import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Commands } from './command.ts';
import { exists } from './exists.ts';

/** A security advisory of the repository for one package. */
export interface RpmAdvisory {
  id: string;
  name: string;
  /** `version-release`. */
  version: string;
  arch: string;
  kind?: 'security' | 'bugfix';
}

/** A signed repository, with advisories. */
export interface RpmRepository {
  /** Mounted read-only at `/bedrpms` in every host. */
  directory: string;
  /** The public key, armoured. */
  keyPath: string;
  /** Adds packages (paths of `.rpm` files), which are signed, and what is said of them. Older ones stay. */
  publish: (rpms: readonly string[], advisories: readonly RpmAdvisory[]) => Promise<void>;
  /** Sets the module metadata (YAML). */
  publishModules: (yaml: string) => Promise<void>;
}

const updateXml = ({ id, name, version, arch, kind = 'security' }: RpmAdvisory): string => {
  const [number = '', release = ''] = version.split('-');
  const file = `${name}-${version}.${arch}.rpm`;
  return `<update from="bed@example.org" status="final" type="${kind}" version="1">
<id>${id}</id><title>${name} ${kind} update</title><severity>Important</severity>
<issued date="2026-01-02 03:04:05"/><updated date="2026-01-02 03:04:05"/><description>Of the test bed.</description>
<references/><pkglist><collection short="bed"><name>bed</name>
<package name="${name}" version="${number}" release="${release}" epoch="0" arch="${arch}" src="${name}-${version}.src.rpm"><filename>${file}</filename></package>
</collection></pkglist></update>`;
};

/** Makes the key and an empty repository in `<bedDirectory>/rpms`, ready to be mounted. */
export const createRpmRepository = async (
  bedDirectory: string,
  { must }: Commands,
): Promise<RpmRepository> => {
  const directory = join(bedDirectory, 'rpms');
  const keyPath = join(bedDirectory, 'rpm-key.asc');
  const gpgHome = join(bedDirectory, 'rpm-gpg');
  const metadata = join(bedDirectory, 'rpm-metadata');
  for (const path of [directory, gpgHome, metadata])
    await rm(path, { recursive: true, force: true });
  await mkdir(join(directory, 'Packages'), { recursive: true });
  await mkdir(metadata, { recursive: true });
  await mkdir(gpgHome, { mode: 0o700 });
  const gpg = ['gpg', '--homedir', gpgHome, '--batch', '--yes', '--pinentry-mode', 'loopback'];
  const identity = 'Test bed of rpms <rpms@example.org>';
  await must([
    ...[...gpg, '--passphrase', '', '--quick-gen-key', identity, 'ed25519', 'sign', 'never'],
  ]);
  await writeFile(keyPath, await must([...gpg, '--armor', '--export']));
  const advisories = new Map<string, RpmAdvisory>();

  const sign = (path: string): Promise<string> => {
    const defines = { __gpg: '/usr/bin/gpg', _gpg_name: identity, _gpg_path: gpgHome };
    return must(
      [
        'rpmsign',
        ...Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
        ...['--addsign', path],
      ],
      { environment: { HOME: metadata } },
    );
  };
  const index = async (): Promise<void> => {
    await must(['createrepo_c', '--quiet', directory]);
    const updates = join(metadata, 'updateinfo.xml');
    const body = [...advisories.values()].map(updateXml).join('\n');
    await writeFile(
      updates,
      `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${body}\n</updates>\n`,
    );
    const repodata = join(directory, 'repodata');
    if (advisories.size > 0) await must(['modifyrepo_c', '--mdtype=updateinfo', updates, repodata]);
    const modules = join(metadata, 'modules.yaml');
    if (await exists(modules)) await must(['modifyrepo_c', '--mdtype=modules', modules, repodata]);
  };
  await index();
  return {
    directory,
    keyPath,
    publish: async (rpms, more) => {
      for (const rpm of rpms) {
        const to = join(directory, 'Packages', basename(rpm));
        if (await exists(to)) continue;
        // Signed before it is seen: hosts read this very directory.
        const fresh = join(metadata, basename(rpm));
        await copyFile(rpm, fresh);
        await sign(fresh);
        await writeFile(to, await readFile(fresh));
        await rm(fresh);
      }
      for (const one of more) advisories.set(one.id, one);
      await index();
    },
    publishModules: async (yaml) => {
      await writeFile(join(metadata, 'modules.yaml'), yaml);
      await index();
    },
  };
};
