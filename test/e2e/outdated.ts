/**
 * Shell in a container: leaves a program running whose file is gone, so that needrestart would restart the container.
 * Its name stays: by it the one program that uutils' coreutils are knows what it is to be.
 */
export const OUTDATED = [
  'cp /bin/sleep /var/tmp/sleep',
  '/var/tmp/sleep 1000 >/dev/null 2>&1 &',
  'until [ /proc/$!/exe -ef /var/tmp/sleep ]; do sleep 0.01; done',
  'rm /var/tmp/sleep',
].join('\n');

/**
 * Runs what follows as a person would: without `DEBIAN_FRONTEND=noninteractive`, with which needrestart 3.5 as Ubuntu
 * 22.04 came out with it never restarts anything.
 */
export const byPerson = ['env', '-u', 'DEBIAN_FRONTEND'];
