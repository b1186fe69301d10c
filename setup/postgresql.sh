#!/bin/sh
# PostgreSQL's server for the tests of the registry's door, from Debian, where this user may install it; no cluster is made.
# usage: sh setup/postgresql.sh        Without it those tests are skipped and say why.
set -u
say() { printf 'set-up: %s\n' "$*" >&2; }

ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  say "PostgreSQL is not installed and cannot be from here (apt-get install postgresql); its tests will be skipped"
  exit 0
fi
say "installing PostgreSQL"
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1 \
  || say "PostgreSQL could not be installed; its tests will be skipped"
exit 0
