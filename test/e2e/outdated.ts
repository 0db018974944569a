import type { BedHost } from '../bed/host.ts';

const PROGRAM = '/var/tmp/sleep';

/** Its name stays sleep: by it the one program that uutils' coreutils are knows what it is to be. */
const RUN_IT = [
  `cp /bin/sleep ${PROGRAM}`,
  `${PROGRAM} 1000 >/dev/null 2>&1 &`,
  `until [ /proc/$!/exe -ef ${PROGRAM} ]; do sleep 0.01; done`,
  `rm ${PROGRAM}`,
].join('\n');

/**
 * Where a host has only version 2 of cgroups, its kernel may all the same have systemd's hierarchy of version 1, and
 * tell of it first: needrestart 3.11 reads no further, and learns of no container. It is shown what a kernel without says.
 */
const SHOW_IT = `
  grep -q '^[^ ]* /sys/fs/cgroup cgroup2 ' /proc/mounts || exit 0
  for exe in /proc/[0-9]*/exe; do
    [ "$(readlink "$exe")" = '${PROGRAM} (deleted)' ] || continue
    grep '^0::' "\${exe%exe}cgroup" >/run/gs-one-hierarchy
    mount --bind /run/gs-one-hierarchy "\${exe%exe}cgroup"
  done`;

/** Leaves a program running in a container whose file is gone, so that needrestart would restart the container. */
export const runOutdated = async (host: BedHost, container: string): Promise<void> => {
  await host.must(['lxc-attach', '-n', container, '--', 'sh', '-c', RUN_IT]);
  await host.must(['sh', '-c', SHOW_IT]);
};

/**
 * Runs what follows as a person would: without `DEBIAN_FRONTEND=noninteractive`, with which needrestart 3.5 as Ubuntu
 * 22.04 came out with it never restarts anything; and both outputs as one, since which of them needrestart writes to
 * depends on the user interface that it finds.
 */
export const byPerson = ['env', '-u', 'DEBIAN_FRONTEND', 'sh', '-c', 'exec "$@" 2>&1', 'sh'];
