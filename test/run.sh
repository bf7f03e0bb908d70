#!/bin/sh
# What `npm test` runs: unit and property tests in one process, then each end-to-end file in a process of its own.
# Works as root and as an ordinary user. Tests that need more than the machine has skip themselves and print why.
cd "$(dirname "$0")/.." || exit 1

# The runtime of `npm ci` first, then one in PATH that is new enough.
runtime=
for node in node_modules/node-linux-*/bin/node $(command -v node); do
  [ -x "$node" ] || continue
  "$node" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 24 || (a == 24 && b >= 12) ? 0 : 1)' || continue
  runtime=$node
  break
done
if [ -z "$runtime" ]; then
  echo "test/run.sh: no Node runtime: run 'npm ci', or install Node 24.12 or newer" >&2
  exit 69
fi

# A test that hangs must end the run, not hold it: the first bound is for one test, the second for the whole.
run() {
  bound=$1
  shift
  timeout -k 10 "$bound" "$runtime" --disable-warning=ExperimentalWarning --test --test-reporter=spec --test-timeout=120000 "$@"
  ended=$?
  [ "$ended" -ne 124 ] || echo "test/run.sh: stopped after $bound seconds" >&2
  [ "$ended" -eq 0 ] || status=1
}

status=0
run 600 --test-isolation=none 'test/unit/**/*.test.ts' 'test/fuzz/**/*.test.ts'
if [ -n "$(find test/e2e -name '*.test.ts' 2>/dev/null)" ]; then
  run 900 --test-concurrency=2 'test/e2e/**/*.test.ts'
else
  echo 'test/run.sh: there are no end-to-end tests yet'
fi
exit $status
