#!/bin/sh
# Installs what is missing (npm packages from the lock file, system packages through apt, after saying which)
# and then runs one of the two jobs of the README: `quickstart` or `test`. Works again and again.
set -eu
cd "$(dirname "$0")/.."
job=$1
shift

say() { printf '%s\n' "$@"; }
fail() {
  say "$@" >&2
  exit 1
}

# The ranges that the packages of package-lock.json ask for.
node_wanted='Node.js 20.19 or newer (of 22: 22.13 or newer; not 21 and 23)'
node_advice='A newer one: https://nodejs.org/en/download or https://github.com/nodesource/distributions'
if ! version=$(node -p process.versions.node 2>/dev/null); then
  fail "Groundswell needs $node_wanted and npm; there is no node in $PATH" "$node_advice" \
    "Under sudo it may just not be found: sudo env \"PATH=\$PATH\" npm run $job"
fi
major=${version%%.*}
minor=${version#*.}
minor=${minor%%.*}
case $major in
  20) [ "$minor" -ge 19 ] ;;
  22) [ "$minor" -ge 13 ] ;;
  *) [ "$major" -ge 24 ] ;;
esac || fail "Groundswell needs $node_wanted; this is $version ($(command -v node))." "$node_advice"

# What needs root says so before anything is downloaded.
if [ "$job" = quickstart ]; then
  [ "$(uname -s)" = Linux ] ||
    fail "The quickstart builds a real host with LXC containers, so it needs Linux; this is $(uname -s)." \
      'A virtual machine with Debian or Ubuntu will do.'
  [ "$(id -u)" = 0 ] ||
    fail 'The quickstart builds a real host: LXC containers, mounts, network links. That needs root:' \
      '  sudo npm run quickstart' \
      'If sudo does not find npm: sudo env "PATH=$PATH" npm run quickstart' \
      'It cleans up after itself. Without root you can still look at the command line:' \
      '  npm ci && npm run build && npx groundswell --help'
  command -v apt-get >/dev/null ||
    fail 'The quickstart installs what it needs with apt: it needs Debian or Ubuntu.'
fi

# Under sudo the checkout is still its owner's: node_modules and dist must not become root's.
owner=$(stat -c %u . 2>/dev/null || id -u)
as_owner=
if [ "$(id -u)" = 0 ] && [ "$owner" != 0 ]; then
  home=$(getent passwd "$owner" | cut -d: -f6)
  # npm hands its own places on to what it runs: here they are root's.
  as_owner="setpriv --reuid=$owner --regid=$(stat -c %g .) --clear-groups \
    env -u npm_config_cache -u npm_config_userconfig HOME=${home:-/tmp}"
fi
# A signal ends what this shell waits for as well, whomever else it reaches: a command in the background hears no Ctrl-C.
end() {
  ended=$1
  [ -z "$child" ] || kill "$child" 2>/dev/null || :
}
attended() {
  child=
  ended=
  trap 'end 130' INT
  trap 'end 143' TERM
  trap 'end 129' HUP
  # shellcheck disable=SC2086 # a list of words
  $as_owner "$@" &
  child=$!
  [ -z "$ended" ] || end "$ended"
  status=0
  wait "$child" || status=$?
  # What a signal has interrupted is only the waiting.
  [ -z "$ended" ] || { wait "$child" || :; exit "$ended"; }
  trap - TERM HUP INT
  return "$status"
}

# npm writes this file as the last thing of an install: older than the lock file means out of date,
# unless the lock file says what it said then (git touches it when branches change).
installed=node_modules/.package-lock.json
same=node_modules/.installed-package-lock.json
if [ ! -e "$installed" ] ||
  { [ package-lock.json -nt "$installed" ] && ! cmp -s package-lock.json "$same"; }; then
  say 'Installing the npm packages of package-lock.json ...'
  attended npm ci --no-audit --no-fund --loglevel=error ||
    fail '' 'npm could not install the packages (its own words are above). Often one of these:' \
      '  no way to the registry, or only through a proxy: npm config get registry; npm config set proxy http://...' \
      '  no room left: df -h .' \
      '  files of another user in node_modules: rm -rf node_modules' \
      'Then start again: it goes on from here.'
  $as_owner touch "$installed"
  $as_owner cp package-lock.json "$same"
fi

# Directories count too: a file that was deleted changes its directory.
sources='src quickstart scripts test/bed test/e2e package-lock.json tsconfig.json tsconfig.build.json'
stamp=dist/.compiled
# shellcheck disable=SC2086 # a list of words
if [ ! -e "$stamp" ] || [ -n "$(find $sources -newer "$stamp" | head -n 1)" ]; then
  say 'Compiling ...'
  $as_owner mkdir -p dist
  $as_owner touch dist/.compiling
  # The types are checked by `npm run check`; leaving it out here saves most of the time.
  attended node node_modules/typescript/bin/tsc -p tsconfig.build.json --noCheck ||
    fail 'The sources do not compile, see above.'
  $as_owner mv dist/.compiling "$stamp"
fi

case $job in
  quickstart) exec node dist/quickstart/main.js "$@" ;;
  test) exec node dist/scripts/run-tests.js "$@" ;;
  *)
    say "unknown job: $job" >&2
    exit 2
    ;;
esac
