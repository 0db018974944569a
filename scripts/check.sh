#!/bin/sh
# The everyday check: format, lint with the folder rules, types, unused code, unit tests.
# All run side by side, and each prints only when it fails. The linter takes longest and has but one core: the others
# let it go first. Formatter, linter and compiler remember below node_modules/.cache what they have seen, so that a
# second run is quick.
set -u
cd "$(dirname "$0")/.." || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
run() {
  name=$1
  shift
  ("$@" >"$out/$name.log" 2>&1; echo $? >"$out/$name.rc") &
}
run format nice -n 5 npx prettier --check --log-level warn --cache .
run folders nice -n 5 npx depcruise src --config .dependency-cruiser.cjs --output-type err
run types nice -n 5 npm run --silent types
run unused nice -n 5 npx knip
run lint npm run --silent lint
run unit nice -n 5 npm run --silent test:unit
wait
failed=0
for name in format folders types unused lint unit; do
  rc=$(cat "$out/$name.rc" 2>/dev/null || echo 1)
  if [ "$rc" != 0 ]; then
    failed=1
    printf '\n== %s failed ==\n' "$name"
    cat "$out/$name.log"
  fi
done
[ "$failed" = 0 ] && { grep -E '^Tests:' "$out/unit.log"; echo 'check: all good'; }
exit "$failed"
