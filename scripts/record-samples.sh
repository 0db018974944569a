#!/bin/sh
# record-samples.sh DIRECTORY CONTAINER...
#
# Run as root on an LXC host: copies what the kernel and LXC say of running CONTAINERs into DIRECTORY,
# as whole files under the paths that they have on the host. Tests read them in place of the real ones:
# see test/fixtures/hosts/README.md.
set -eu
out=$1
shift
mkdir -p "$out/lxc-info"
cd "$out"

# Files of procfs and cgroupfs show no size: cp would take them for empty.
record() {
  [ -r "$1" ] || return 0
  mkdir -p ".${1%/*}"
  cat "$1" >".$1"
}

# record_process PID [FILE...]
record_process() {
  process=/proc/$1
  shift
  for file in cgroup cmdline stat status "$@"; do record "$process/$file"; done
  namespace=$(readlink "$process/ns/mnt") || return 0
  mkdir -p ".$process/ns"
  ln -sfn "$namespace" ".$process/ns/mnt"
}

holds_processes() {
  [ -n "$(find "$1" -name cgroup.procs -exec cat {} +)" ]
}

# In the hierarchies by which processes are found and frozen: a cgroup, and those below it that hold
# processes.
record_cgroup() {
  for top in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/freezer; do
    [ -d "$top$1" ] || continue
    find "$top$1" -type d | while read -r directory; do
      [ "$directory" = "$top$1" ] || holds_processes "$directory" || continue
      for file in cgroup.procs cgroup.events freezer.state; do record "$directory/$file"; done
    done
  done
}

{
  uname -sr
  echo "LXC $(lxc-start --version)"
  systemctl --version | head -n 1
} >versions.txt

# Init stands for the reader: this very process is no part of the recording.
record_process 1 mountinfo
ln -sfn 1 proc/self
mkdir -p proc/1/net
grep -E '^Num|@/.*/command$' /proc/1/net/unix >proc/1/net/unix
for other in kthreadd dbus-daemon; do
  pid=$(pgrep -o -x "$other" || true)
  if [ -n "$pid" ]; then record_process "$pid"; fi
done

# One container is enough for what is long.
long='maps mountinfo'
for name; do
  lxc-info -n "$name" >"lxc-info/$name.txt"
  init=$(lxc-info -n "$name" -p -H)
  monitor=$(awk '/^PPid:/ { print $2 }' "/proc/$init/status")
  # shellcheck disable=SC2086 # words
  record_process "$monitor" "task/$monitor/children" $long
  inside=$(readlink "/proc/$init/ns/pid")
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/ns/pid" || true)" = "$inside" ] || continue
    # shellcheck disable=SC2086 # words
    record_process "${process#/proc/}" $long
  done
  # A container's own cgroup is the first part of its processes' paths.
  first='s,^[0-9]+:[^:]*:(/lxc/[^/]+|/lxc\.[^/]+).*,\1,p'
  for path in $(sed -nE "$first" "/proc/$init/cgroup" "/proc/$monitor/cgroup" | sort -u); do
    record_cgroup "$path"
  done
  long=
done
