/**
 * Whether a /proc/PID/status text is of a process outside of containers, root's or our own user's. Others may call
 * themselves what they like. And what they call themselves is not even read: command line and environment lie in the
 * memory of a process, and who reads them waits for whatever its owner has put behind that (FUSE, userfaultfd).
 */
export const isTrusted = (status: string, ownUid = process.getuid?.() ?? 0): boolean => {
  // In a pid namespace below that of procfs it has a number in each.
  if (/^NSpid:\s*\d+\s+\d/m.test(status)) return false;
  const uid = /^Uid:\s*(\d+)/m.exec(status)?.[1];
  return uid !== undefined && [0, ownUid].includes(Number(uid));
};
