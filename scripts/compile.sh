#!/bin/sh
# Puts together what the launchers run: of the hundreds of sources, a few files of JavaScript in dist/NAME, which start several
# times as fast. dist/current has the newest NAME.
# usage: compile.sh [NAME]: does nothing when dist/current has another name than this by now
set -eu
umask 022
cd "$(dirname "$(dirname "$(readlink -f "$0")")")"

for compiler in node_modules/@esbuild/linux-*/bin/esbuild; do
  [ -x "$compiler" ] && break
done
[ -x "$compiler" ] || { echo "compile.sh: no compiler: run 'npm ci' in $PWD" >&2; exit 1; }

# one at a time: who waited finds the work done; nobody else can keep the lock
mkdir -p dist && [ -w dist ] || { echo "compile.sh: $PWD/dist: no permission to write there" >&2; exit 1; }
umask 077
exec 9>dist/lock
umask 022
! command -v flock >/dev/null || flock -w 60 9
newest=
[ ! -e dist/current ] || read -r newest <dist/current || :
[ $# -eq 0 ] || [ "$newest" = "$1" ] || exit 0

name=$(date +%Y%m%d-%H%M%S)-$$
mkdir "dist/$name"
trap '[ $? -eq 0 ] || rm -rf "dist/$name"' EXIT
# whoever owns the sources can do this again without root
[ "$(id -u)" -ne 0 ] || chown --reference=src dist dist/lock "dist/$name" || :
# what changes from now on is newer than `begun`, which stays as it is: a new owner would be a new time, too
: >"dist/$name/begun"
"$compiler" main=src/cli/main.ts writer-thread=src/store/sqlite/writer-thread.ts --outdir="dist/$name" \
  --bundle --splitting --packages=external --format=esm --platform=node --target=esnext --charset=utf8 --log-level=warning
# after a power cut it is there whole, or not at all
! command -v sync >/dev/null || sync "dist/$name"/*.js
echo "$name" >"dist/$name/current"
mv -f "dist/$name/current" dist/current

# Systems that run keep the code that they were started with: its place is in their command lines (and the pattern isn't
# found in its own). What the engine has kept there for root stays until root does this.
for old in $(ls -1r dist | grep '^[0-9]' | grep -vx "$name" | tail -n +5); do
  grep -qs "/dist/$old/[m]ain\.js" /proc/[0-9]*/cmdline || rm -rf "dist/$old" 2>/dev/null || :
done
