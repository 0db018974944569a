import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Distribution } from './apt-sources.ts';
import type { Commands } from './command.ts';

/** A signed repository that poses as the distribution's security suite. */
export interface AptRepository {
  /** Mounted read-only at `/bedrepo` in every host. */
  directory: string;
  /** The public key, armoured: `/etc/apt/keyrings/bed.asc` in a host. */
  keyPath: string;
  /** The line for sources.list(5) in a host. */
  sourceLine: string;
  /**
   * Adds packages (paths of `.deb` files) and signs the new index. What was published before stays,
   * so that a host can go back (`apt-get install --allow-downgrades`).
   */
  publish: (debs: readonly string[]) => Promise<void>;
  /** Takes everything out again and signs the empty index. */
  empty: () => Promise<void>;
}

/** Makes the key and an empty repository in `<bedDirectory>/repo`, ready to be mounted. */
export const createAptRepository = async (
  bedDirectory: string,
  commands: Commands,
  distribution: Distribution,
): Promise<AptRepository> => {
  const directory = join(bedDirectory, 'repo');
  const keyPath = join(bedDirectory, 'bed.asc');
  const gpgHome = join(bedDirectory, 'gpg');
  const architecture = (await commands.must(['dpkg', '--print-architecture'])).trim();
  const suite = `${distribution.codename}-security`;
  const dist = join(directory, 'dists', suite);
  const index = join(dist, 'main', `binary-${architecture}`, 'Packages');
  const gpg = ['gpg', '--homedir', gpgHome, '--batch', '--yes', '--pinentry-mode', 'loopback'];
  // What the stock configuration of unattended-upgrades takes as a security update.
  const release = {
    Origin: distribution.id === 'debian' ? 'Debian' : 'Ubuntu',
    Label: distribution.id === 'debian' ? 'Debian-Security' : 'Ubuntu',
    Suite: distribution.id === 'debian' ? 'oldstable-security' : suite,
    Codename: distribution.id === 'debian' ? suite : distribution.codename,
    Architectures: architecture,
    Components: 'main',
  };

  const sign = async (): Promise<void> => {
    const packages = await commands.must(['apt-ftparchive', 'packages', 'pool'], { directory });
    await writeFile(index, packages);
    await commands.must(['gzip', '-9nkf', index]);
    const fields = Object.entries(release).flatMap(([name, value]) => [
      '-o',
      `APT::FTPArchive::Release::${name}=${value}`,
    ]);
    const text = await commands.must(['apt-ftparchive', ...fields, 'release', dist]);
    // Outside `dist` until it is whole: apt-ftparchive would list a Release that lies inside.
    const fresh = join(directory, 'Release.new');
    await writeFile(fresh, text);
    await commands.must([
      ...[...gpg, '--passphrase', '', '--clearsign'],
      ...['-o', join(directory, 'InRelease.new'), fresh],
    ]);
    await rename(join(directory, 'InRelease.new'), join(dist, 'InRelease'));
    await rm(fresh);
  };

  await rm(directory, { recursive: true, force: true });
  await rm(gpgHome, { recursive: true, force: true });
  await mkdir(gpgHome, { recursive: true, mode: 0o700 });
  await mkdir(join(directory, 'pool'), { recursive: true });
  await mkdir(join(dist, 'main', `binary-${architecture}`), { recursive: true });
  const identity = 'Test bed <test@example.org>';
  await commands.must([
    ...[...gpg, '--passphrase', '', '--quick-gen-key', identity, 'ed25519', 'sign', 'never'],
  ]);
  await writeFile(keyPath, await commands.must([...gpg, '--armor', '--export']));
  await sign();

  return {
    directory,
    keyPath,
    sourceLine: `deb [signed-by=/etc/apt/keyrings/bed.asc] file:/bedrepo ${suite} main`,
    publish: async (debs) => {
      for (const deb of debs) await copyFile(deb, join(directory, 'pool', basename(deb)));
      await sign();
    },
    empty: async () => {
      for (const name of await readdir(join(directory, 'pool')))
        await rm(join(directory, 'pool', name));
      await sign();
    },
  };
};
