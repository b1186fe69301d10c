#!/bin/sh
# An environment beside .venv with PySpark in it, and Java 17 on the machine where we may; the tests compare Spark with DuckDB.
# Not in .venv: where PySpark can be imported, pandera imports it for every file that is collected, and it warns of pandas 3.
# usage: sh setup/spark.sh        Without Java the Spark tests say so and are left out; nothing else needs it.
set -u
cd "$(dirname "$0")/.." || exit 5
home=.twinops/spark
say() { printf 'set-up: %s\n' "$*" >&2; }
stop() { say "$1"; exit 5; }

if ! cmp -s setup/spark.lock "$home/spark.lock"; then
  say "making $home with PySpark, for the tests that compare it with DuckDB"
  rm -rf "$home" && .venv/bin/python -m venv "$home" || stop "The environment could not be made in $home. Read the lines above; is the disk full?"
  "$home/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r setup/spark.lock \
    || stop "PySpark could not be installed; the lines above say why. Check the network or the package mirror, then run this again."
  # all else comes from .venv, the editable twinops too
  beside=$("$home/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  .venv/bin/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' > "$beside/venv.pth" \
    && cp setup/spark.lock "$home/spark.lock" || stop "$home could not be written. Is the disk full?"
fi
command -v java >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  say "installing a Java 17 runtime, which Spark needs"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq openjdk-17-jre-headless; } >/dev/null 2>&1
fi
command -v java >/dev/null || say "there is no Java 17 on this machine: the Spark tests will be left out. Install openjdk-17-jre-headless to have them."
exit 0
