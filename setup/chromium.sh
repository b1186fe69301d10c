#!/bin/sh
# Debian's chromium for the tests that play a release in a real browser, where this user may install it.
# usage: sh setup/chromium.sh        Without it those tests are skipped and say why.
set -u
say() { printf 'set-up: %s\n' "$*" >&2; }

[ -x /usr/bin/chromium ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  say "chromium is not installed and cannot be from here (apt-get install chromium); the tests in a browser will be skipped"
  exit 0
fi
say "installing chromium"
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1 \
  || say "chromium could not be installed; the tests in a browser will be skipped"
exit 0
