#!/bin/sh
# Make .venv what requirements.txt says; a second run finds its stamp and returns at once. With uv where it is, else with pip.
# usage: sh setup/setup.sh        (PYTHON=... to choose the interpreter)
# Exit 5: something could not be downloaded or made; nothing is stamped, so the next run tries again.
set -u
cd "$(dirname "$0")/.." || exit 5
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
stamp=.venv/twinops-setup.stamp

say() { printf 'set-up: %s\n' "$*" >&2; }
stop() { say "$1"; exit 5; }
supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

find_python() {
  for found in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    supported "$found" && return 0
  done
  stop "Python 3.11, 3.12 or 3.13 is needed and was not found. Install one, or name it with PYTHON=/path/to/python3."
}

find_python
wanted=$( { cat requirements.txt setup/setup.sh; "$found" --version; pwd; } | git hash-object --stdin) \
  || stop "git is needed and did not answer. Install git, then run this again."
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x .venv/bin/twinops ] && exit 0

rm -f "$stamp"
say "installing requirements.txt into .venv, a few minutes the first time"
supported .venv/bin/python || "$found" -m venv --clear .venv \
  || stop "The environment could not be made in .venv. Read the lines above; is the disk full, or python3-venv not installed?"
if command -v uv >/dev/null; then
  uv pip install --quiet --python .venv/bin/python --compile-bytecode -r requirements.txt
else
  .venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements.txt
fi || stop "requirements.txt could not be installed; the lines above name what failed. Check the network, then run this again."
printf '%s\n' "$wanted" > "$stamp.new" && mv "$stamp.new" "$stamp"
say "done"
