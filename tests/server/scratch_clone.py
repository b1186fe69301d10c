"""A clone's own environment without downloading: this one's packages, that clone's code, the set-up's stamp."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

WANTED = (
    "python=$(command -v python3); { cat requirements.lock setup/installer.lock pyproject.toml setup/setup.sh;"
    ' "$python" --version; pwd; } | git hash-object --stdin'
)
"""As `setup/setup.sh` tells whether it has anything to do."""


def furnish(root: Path, *, cache: Path | None = None) -> None:
    """Make `.venv` as the set-up leaves it, which then has nothing to do; stages that ran here are cached."""
    if cache is not None and cache.is_dir():
        shutil.copytree(cache, root / ".dvc" / "cache", dirs_exist_ok=True)
    here = Path(sys.prefix)
    venv.create(root / ".venv", symlinks=True)
    (packages,) = (root / ".venv" / "lib").glob("python3*/site-packages")
    (ours,) = (here / "lib").glob("python3*/site-packages")
    (packages / "clone.pth").write_text(f"{root / 'src'}\n{ours}\n", encoding="utf-8")
    for script in (here / "bin").iterdir():
        made = root / ".venv" / "bin" / script.name
        if made.exists() or not script.is_file():
            continue
        content = script.read_bytes()
        if content.startswith(b"#!"):
            _, _, rest = content.partition(b"\n")
            content = f"#!{root / '.venv' / 'bin' / 'python'}\n".encode() + rest
        made.write_bytes(content)
        made.chmod(0o755)
    stamp = subprocess.run(["bash", "-c", WANTED], cwd=root, check=True, capture_output=True, text=True).stdout
    (root / ".venv" / "twinops-setup.stamp").write_text(stamp, encoding="utf-8")
