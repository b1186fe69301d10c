#!/bin/sh
# Environments beside .venv with another MLflow in them: the oldest and the newest of the range that pyproject.toml names.
# Each holds MLflow alone, hash-pinned in setup/mlflow-VERSION.lock; all else comes from .venv. MLflow's own wheel holds
# every file of mlflow-skinny and mlflow-tracing too.
# usage: sh setup/mlflow.sh VERSION        (prints the folder of the environment)
set -u
cd "$(dirname "$0")/.." || exit 5
lock=setup/mlflow-$1.lock
home=.twinops/mlflow-$1
say() { printf 'set-up: %s\n' "$*" >&2; }
stop() { say "$1"; exit 5; }

[ -f "$lock" ] || stop "There is no $lock; write it with uv pip compile --no-deps --generate-hashes."
if ! cmp -s "$lock" "$home/mlflow.lock"; then
  say "making $home"
  rm -rf "$home" && .venv/bin/python -m venv "$home" || stop "The environment could not be made in $home. Read the lines above; is the disk full?"
  "$home/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r "$lock" \
    || stop "MLflow $1 could not be installed; the lines above say why. Check the network or the package mirror, then run this again."
  # all else comes from .venv, the editable twinops too
  beside=$("$home/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  .venv/bin/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' > "$beside/venv.pth" \
    && cp "$lock" "$home/mlflow.lock" || stop "$home could not be written. Is the disk full?"
fi
found=$("$home/bin/python" -c 'from mlflow.version import VERSION; print(VERSION)' 2>/dev/null)
[ "$found" = "$1" ] || stop "$home holds MLflow ${found:-none}, not $1. Remove $home and run this again."
echo "$home"
