#!/bin/sh
# Make .venv exactly what requirements.lock says, with bytecode compiled; a second run finds its stamp and returns at once.
# usage: sh setup/setup.sh        (PYTHON=... to choose the interpreter)
# Exit 5: something could not be downloaded or made; nothing is stamped, so the next run tries again.
set -u
cd "$(dirname "$0")/.." || exit 5
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV
stamp=.venv/twinops-setup.stamp
started=$(date +%s)

say() { printf 'set-up: %s\n' "$*" >&2; }
stop() { say "$1"; exit 5; }
supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }
has_pip() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
  for found in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    supported "$found" && return 0
  done
  have=$(python3 --version 2>/dev/null) && have="only $have" || have="no python3"
  stop "Python 3.11, 3.12 or 3.13 is needed, and $have was found. Install one of them, or name it with PYTHON=/path/to/python3."
}

find_venv() {
  has_pip "$found" && return 0
  package=$("$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $package, which $found lacks"
    { apt-get update -qq && apt-get install -y -qq "$package"; } >/dev/null 2>&1
  fi
  has_pip "$found" || stop "$found cannot make virtual environments. Install the package $package, then run this again."
}

# A mirror that pip was told of holds for uv too.
follow_pip() {
  [ -n "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] && return 0
  index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null)} && export UV_DEFAULT_INDEX="$index"
  return 0
}

find_python
wanted=$( { cat requirements.lock setup/installer.lock pyproject.toml setup/setup.sh; "$found" --version; pwd; } | git hash-object --stdin) \
  || stop "git is needed and did not answer. Install git, then run this again."
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x .venv/bin/twinops ] && exit 0

rm -f "$stamp"
find_venv
say "1/3 making .venv with $("$found" --version)"
# pip as a script: in a folder that was moved it no longer starts, like every other command there
supported .venv/bin/python && .venv/bin/pip --version >/dev/null 2>&1 \
  || "$found" -m venv --clear .venv || stop "The virtual environment could not be made in .venv. Read the lines above; is the disk full?"

say "2/3 downloading and compiling $(grep -c '==' requirements.lock) locked packages, about a minute or two"
.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r setup/installer.lock \
  || stop "The installer (uv) could not be downloaded. Check the network or the package mirror, then run this again."
follow_pip
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock \
  || stop "The locked packages could not be installed; the lines above name the first that failed. Check the network or the package mirror, then run this again."

say "3/3 installing twinops itself"
.venv/bin/uv pip install --quiet --python .venv/bin/python --offline --no-deps --no-build-isolation --compile-bytecode -e . \
  || stop "twinops itself could not be installed; the lines above say why. If pyproject.toml was changed, mend it."
# relative: Python reads this file before it knows the encoding of the path, and does not start when it guesses wrong
for path in .venv/lib/python*/site-packages/_editable_impl_twinops.pth; do printf '../../../../src\n' > "$path"; done
printf '%s\n' "$wanted" > "$stamp.new" && mv "$stamp.new" "$stamp"
say "done in $(( $(date +%s) - started )) s"
