#!/bin/sh
# Put PySpark beside the other packages, and Java 17 on the machine where we may; the tests compare Spark with DuckDB.
# usage: sh setup/spark.sh        Without Java the Spark tests say so and are left out; nothing else needs it.
set -u
cd "$(dirname "$0")/.." || exit 5
say() { printf 'set-up: %s\n' "$*" >&2; }

if ! .venv/bin/uv pip freeze --python .venv/bin/python 2>/dev/null | grep -qx "$(sed -n 's/^\(pyspark==[^ ]*\).*/\1/p' setup/spark.lock)"; then
  say "installing PySpark for the tests that compare it with DuckDB"
  .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --no-deps -r setup/spark.lock \
    || { say "PySpark could not be installed; the lines above say why. Check the network or the package mirror, then run this again."; exit 5; }
fi
command -v java >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  say "installing a Java 17 runtime, which Spark needs"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq openjdk-17-jre-headless; } >/dev/null 2>&1
fi
command -v java >/dev/null || say "there is no Java 17 on this machine: the Spark tests will be left out. Install openjdk-17-jre-headless to have them."
exit 0
