import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commands } from './command.ts';
import { DEMO_PACKAGES } from './demo-packages.ts';
import type { DemoPackage } from './demo-packages.ts';
import { DEMO_RPM_VERSIONS, demoRpmArch, ensureDemoRpms, RELEASE_RPM } from './demo-rpms.ts';
import type { ExtraMount } from './host-config.ts';
import type { BedHost } from './host.ts';
import { createRpmRepository } from './rpm-repository.ts';
import type { RpmAdvisory, RpmRepository } from './rpm-repository.ts';

/** What the root of a dnf host has beside that of every host: Debian's own dnf 4 and its plugins. */
export const DNF_ROOT_PACKAGES = ['dnf', 'dnf-plugins-core', 'rpm'];

/** What is needed on this machine to make rpms and their repository. */
export const RPM_OUTER_PACKAGES: readonly (readonly [string, string])[] = [
  ['rpm', '/usr/bin/rpmbuild'],
  ['createrepo-c', '/usr/bin/createrepo_c'],
];

/** Packages of a bed whose hosts are dnf hosts. */
export interface DnfPackages {
  repository: RpmRepository;
  mount: ExtraMount;
  /** Makes a freshly unpacked root a dnf host's. */
  prepareRoot: (root: string) => Promise<void>;
  /** Installs every demo package in its first version. */
  install: (host: BedHost) => Promise<void>;
  /** Publishes demo packages; each version but the first with a security advisory. */
  publish: (versions: Partial<Record<DemoPackage, string>>) => Promise<void>;
}

const OS_RELEASE = `NAME="AlmaLinux"
VERSION="9.9 (test bed)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.9"
PLATFORM_ID="platform:el9"
PRETTY_NAME="AlmaLinux 9.9 (test bed)"
`;

const DNF_CONF = `[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
`;

const REPOSITORY = `[bed]
name=Test bed
baseurl=file:///bedrpms
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-bed
`;

/** Debian has the program, but no command for it. */
const DNF_AUTOMATIC = `#!/usr/bin/python3
import sys
import dnf.automatic.main
sys.exit(dnf.automatic.main.main(sys.argv[1:]))
`;

/** rpm(8) as it changes packages: Debian's refuses to, unless it is told that it is meant; others do not know that word. */
export const changingRpm = async (host: BedHost): Promise<string[]> => {
  const { exitCode } = await host.run(['rpm', '--force-debian', '--version']);
  return exitCode === 0 ? ['rpm', '--force-debian'] : ['rpm'];
};

/** Id of the advisory for a demo package in a version. */
export const demoAdvisory = (name: DemoPackage, version: string): string =>
  `GSSA-2026:${1000 + 10 * DEMO_PACKAGES.indexOf(name) + DEMO_RPM_VERSIONS.findIndex((one) => one === version)}`;

/** Makes the repository, with the first version of every demo package in it. */
export const createDnfPackages = async (
  commands: Commands,
  {
    directory,
    cacheDirectory,
    projectDirectory,
  }: {
    directory: string;
    cacheDirectory: string;
    projectDirectory: string;
  },
): Promise<DnfPackages> => {
  const rpms = await ensureDemoRpms(cacheDirectory, projectDirectory);
  const repository = await createRpmRepository(directory, commands);
  const machine = (await commands.must(['uname', '-m'])).trim();
  const [first] = DEMO_RPM_VERSIONS;
  const pathOf = (name: string, version: string): string =>
    join(rpms, `${name}-${version}.${demoRpmArch(name, machine)}.rpm`);

  const publish: DnfPackages['publish'] = async (versions) => {
    const wanted = DEMO_PACKAGES.flatMap((name) => {
      const version = versions[name];
      return version === undefined ? [] : [{ name, version, arch: demoRpmArch(name, machine) }];
    });
    const advisories = wanted
      .filter(({ version }) => version !== first)
      .map((one): RpmAdvisory => ({ id: demoAdvisory(one.name, one.version), ...one }));
    await repository.publish(
      wanted.map(({ name, version }) => pathOf(name, version)),
      advisories,
    );
  };
  await repository.publish([pathOf(RELEASE_RPM.name, RELEASE_RPM.version)], []);
  await publish(Object.fromEntries(DEMO_PACKAGES.map((name) => [name, first])));

  return {
    repository,
    publish,
    mount: { source: repository.directory, target: '/bedrpms', kind: 'directory', readOnly: true },
    prepareRoot: async (root) => {
      const put = async (path: string, text: string): Promise<void> => {
        await mkdir(join(root, path, '..'), { recursive: true });
        // A link there would lead out of the root.
        await rm(join(root, path), { force: true });
        await writeFile(join(root, path), text);
      };
      await put('etc/os-release', OS_RELEASE);
      // Debian's rpm has its database in the home directory.
      await put('etc/rpm/macros', '%_dbpath /var/lib/rpm\n');
      await put('etc/dnf/dnf.conf', DNF_CONF);
      await put('etc/yum.repos.d/bed.repo', REPOSITORY);
      // Keeps copies of what is installed as a repository of its own, which no EL host has.
      await put('etc/dnf/plugins/local.conf', '[main]\nenabled = 0\n');
      await put('etc/dnf/plugins/versionlock.list', '');
      // Debian built libdnf with a SWIG that has no flat names any more, by which this plugin calls it.
      const plugin = join(
        root,
        'usr/lib/python3/dist-packages/dnf-plugins/post-transaction-actions.py',
      );
      const text = await readFile(plugin, 'utf8');
      await writeFile(plugin, text.replace('ConfigParser_substitute', 'ConfigParser.substitute'));
      await put('usr/local/bin/dnf-automatic', DNF_AUTOMATIC);
      await chmod(join(root, 'usr/local/bin/dnf-automatic'), 0o755);
      // Debian's apt has nothing to say on such a host.
      await put('etc/apt/sources.list', '');
      await mkdir(join(root, 'etc/pki/rpm-gpg'), { recursive: true });
      await copyFile(repository.keyPath, join(root, 'etc/pki/rpm-gpg/RPM-GPG-KEY-bed'));
    },
    install: async (host) => {
      await host.must(['rpm', '--import', '/etc/pki/rpm-gpg/RPM-GPG-KEY-bed']);
      const names = DEMO_PACKAGES.map((name) => `${name}-${first}`);
      await host.must(['dnf', '-q', '-y', 'install', RELEASE_RPM.name, ...names]);
    },
  };
};
