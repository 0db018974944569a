#!/bin/sh
# try-on.sh [--keep] SUITE COMMAND...
#
# Runs COMMAND in a fresh clone of the last commit, as root of a machine like new with Debian or Ubuntu SUITE
# (bookworm, trixie, jammy, noble, resolute): minimal packages, this machine's Node.js and npm, git, nothing else.
#   scripts/try-on.sh jammy npm test
# It has this machine's kernel and network, and process ids, mounts and cgroups of its own. With --keep
# its root stays, and the next run goes on in it. Changes nothing on this machine outside of that root.
# Environment: TRY_ON_DIRECTORY (where roots are built; a real file system), MIRROR, UBUNTU_KEYRING.
set -eu
cd "$(dirname "$0")/.."
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

keep=
if [ "${1-}" = --keep ]; then
  keep=yes
  shift
fi
[ $# -ge 2 ] || fail 'usage: scripts/try-on.sh [--keep] bookworm|trixie|jammy|noble|resolute COMMAND...'
suite=$1
shift

[ "$(id -u)" = 0 ] || fail 'It makes mounts and namespaces, which needs root.'
missing=
for program in mmdebstrap unshare git node npm; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
[ -z "$missing" ] || fail "Not installed here:$missing (unshare is in util-linux)"

keyring=${UBUNTU_KEYRING:-/usr/share/keyrings/ubuntu-archive-keyring.gpg}
case $suite in
  bookworm | trixie)
    mirror=${MIRROR:-http://deb.debian.org/debian}
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    components=main
    security="$mirror-security $suite-security"
    ;;
  jammy | noble | resolute)
    mirror=${MIRROR:-http://archive.ubuntu.com/ubuntu}
    components='main universe'
    security="$mirror $suite-security"
    ;;
  *) fail "unknown suite: $suite" ;;
esac
[ -r "$keyring" ] ||
  fail "There is no $keyring: install the package that holds it, or name another in UBUNTU_KEYRING" \
    '(of the package ubuntu-keyring; gpg --show-keys says whether it is the right one).'

directory=${TRY_ON_DIRECTORY:-/var/tmp/groundswell-try-on}
root=$directory/$suite
clone=/root/groundswell
# One hierarchy for all, as such machines have it, even where this one has those of version 1 as well.
cgroup=$(awk '$(NF - 2) == "cgroup2" { print $5; exit }' /proc/self/mountinfo)
[ -n "$cgroup" ] || fail 'No cgroup2 is mounted here.'
cgroup=$cgroup/groundswell-try-on-$suite
mkdir -p "$directory"
exec 9>"$directory/$suite.lock"
flock -n 9 || fail "Another run has $root."

clean_up() {
  # Deepest first. Its processes have ended with the first of them, and its mounts with its namespace.
  [ ! -d "$cgroup" ] || find "$cgroup" -depth -type d -exec rmdir {} +
  [ -z "$keep" ] || return 0
  rm -rf --one-file-system "$root" "$directory/$suite.lock"
  rmdir --ignore-fail-on-non-empty "$directory"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ ! -e "$root$clone" ]; then
  rm -rf --one-file-system "$root"
  printf '%s\n' "deb $mirror $suite $components" "deb $mirror $suite-updates $components" \
    "deb $security $components" |
    mmdebstrap --quiet --variant=minbase --mode=root --keyring="$keyring" --include=apt,ca-certificates,git \
      "$suite" "$root" -
  install -D "$(node -p process.execPath)" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -R "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/"
  for name in npm npx; do ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$root/usr/local/bin/$name"; done
  chroot "$root" /usr/local/bin/node --version >/dev/null ||
    fail "This machine's Node.js does not run there: take one of nodejs.org's archives, which needs no libraries."
  git init -q "$root$clone"
fi
git -C "$root$clone" fetch -q --depth=1 "file://$PWD" HEAD
git -C "$root$clone" checkout -q -f --detach FETCH_HEAD
# How names are looked up, and whom Node.js trusts, is the network's matter, and so the same.
cat /etc/resolv.conf >"$root/etc/resolv.conf"
cat /etc/hosts >"$root/etc/hosts"
if [ -n "${NODE_EXTRA_CA_CERTS-}" ]; then cp "$NODE_EXTRA_CA_CERTS" "$root/root/extra-ca-certs.pem"; fi
export npm_config_registry="${npm_config_registry-$(npm config get registry)}"

mkdir -p "$cgroup/init"
# The new machine's top of the cgroups is the first one. It is handed on, so it may hold no process itself:
# they go one further down.
# shellcheck disable=SC2016 # expanded there
into='echo $$ >"$1/cgroup.procs" && exec unshare --cgroup sh -c "$2" sh "$@"'
# shellcheck disable=SC2016 # expanded there
one_down='echo $$ >"$1/init/cgroup.procs" && shift 2 && exec "$@"'
# The first process of the new machine: makes its mounts, and gives the old root away.
# shellcheck disable=SC2016 # expanded there
first='
  set -eu
  cd "$1"
  clone=$2
  hostname "$3"
  shift 3
  mount --bind . .
  cd "$PWD"
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t devtmpfs devtmpfs dev
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
  mount -t tmpfs tmpfs dev/shm
  mount -t tmpfs -o mode=0755 tmpfs run
  mkdir run/lock
  pivot_root . mnt
  umount -l /mnt
  cd "$clone"
  # No exec: somebody has to take care of orphans.
  status=0
  "$@" || status=$?
  exit "$status"
'
for name in http_proxy https_proxy no_proxy npm_config_registry TERM CI; do
  if eval "[ -n \"\${$name-}\" ]"; then eval "set -- \"$name=\$$name\" \"\$@\""; fi
done
set -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/root/extra-ca-certs.pem} "$@"
status=0
sh -c "$into" sh "$cgroup" "$one_down" \
  unshare --mount --pid --fork --kill-child --uts --ipc sh -c "$first" sh "$root" "$clone" "$suite" "$@" 9>&- ||
  status=$?
exit "$status"
