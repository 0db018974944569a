/**
 * The command that rewrites a configuration in keys of LXC before 3. LXC's own tool takes `overlayfs:…` for a
 * directory and writes `dir:` before it, which LXC then cannot mount.
 */
export const rewriteOldForm = (configPath: string): string =>
  `lxc-update-config -c ${configPath} && sed -i s/dir:overlay/overlay/ ${configPath}`;
