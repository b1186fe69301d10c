"""Tell every library, before it loads, not to report home; the list is `quiet.env`, which the Makefile reads too."""

from __future__ import annotations

import os
from importlib.resources import files


def settings() -> dict[str, str]:
    """The environment variables and values of `quiet.env`."""
    lines = files("twinops.adapters").joinpath("quiet.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def be_quiet() -> None:
    """Set them for this process and those it starts, whatever the caller's environment says: silence is a promise."""
    os.environ.update(settings())
