#!/bin/sh
# Installs what is missing (npm packages from the lock file, system packages through apt, after saying which)
# and then runs one of the two jobs of the README: `quickstart` or `test`. Works again and again.
set -eu
cd "$(dirname "$0")/.."
job=$1
shift

node_major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$node_major" -lt 20 ]; then
  echo "Groundswell needs Node.js 20 or newer; this is $(node --version)." >&2
  exit 1
fi

# npm writes this file as the last thing of an install: older than the lock file means out of date.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing the npm packages of package-lock.json ..."
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

echo "Compiling ..."
npm run --silent build

case $job in
  quickstart) exec node dist/quickstart/main.js "$@" ;;
  test) exec node dist/scripts/run-tests.js "$@" ;;
  *)
    echo "unknown job: $job" >&2
    exit 2
    ;;
esac
