#!/bin/sh
# Make .venv what requirements.txt says; a second run finds its stamp and returns at once. With uv, or with pip where uv cannot be had.
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
say "1/2 making .venv with $("$found" --version)"
supported .venv/bin/python || "$found" -m venv --clear .venv \
  || stop "The environment could not be made in .venv. Read the lines above; is the disk full, or python3-venv not installed?"
# uv takes a minute where pip takes five; a mirror that pip was told of holds for it too
uv=$(command -v uv) || { .venv/bin/python -m pip install -qq --disable-pip-version-check uv 2>/dev/null && uv=.venv/bin/uv; }
if [ -n "$uv" ]; then
  [ -n "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] \
    || { index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null)} && export UV_DEFAULT_INDEX="$index"; }
  say "2/2 installing what requirements.txt says, about a minute the first time"
  "$uv" pip install --quiet --python .venv/bin/python --compile-bytecode -r requirements.txt
else
  say "2/2 installing what requirements.txt says with pip, several minutes the first time"
  .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off -r requirements.txt >&2
fi || stop "requirements.txt could not be installed; the lines above name what failed. Check the network, then run this again."
printf '%s\n' "$wanted" > "$stamp.new" && mv "$stamp.new" "$stamp"
say "done"
