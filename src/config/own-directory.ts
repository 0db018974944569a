import { resolve } from 'node:path';
import { z } from 'zod';

export const AbsolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, 'want an absolute path such as /var/lib/groundswell');

/** Directories that a system is made of, or that many share: containers need what else is in them. */
const shared = new Set([
  ...['/', '/bin', '/boot', '/dev', '/etc', '/home', '/lib', '/lib32', '/lib64', '/libx32', '/opt'],
  ...['/proc', '/root', '/run', '/sbin', '/srv', '/sys', '/tmp', '/usr', '/usr/bin', '/usr/lib'],
  ...['/usr/lib64', '/usr/libexec', '/usr/local', '/usr/local/bin', '/usr/local/lib', '/usr/sbin'],
  ...['/usr/share', '/var', '/var/cache', '/var/lib', '/var/log', '/var/opt', '/var/run'],
  ...['/var/spool', '/var/tmp', '/var/www'],
]);

/** A directory whose whole content is hidden in every container, so it must be nobody else's. */
export const OwnDirectory = AbsolutePath.refine(
  (path) => !shared.has(resolve(path)),
  'want a directory of its own, such as /srv/groundswell: all of it is hidden in every container',
);
