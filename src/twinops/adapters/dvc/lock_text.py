"""Put stages into the text of `dvc.lock` as DVC would write it; what stays is not written anew, which takes longest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HEAD = "schema: '2.0'\nstages:\n"
"""How a lock file begins."""
_NAME = re.compile(r"^  (\S[^\n]*):\n", re.MULTILINE)


def with_stages(text: str, done: Mapping[str, Any]) -> str:
    """The text with these stages' entries: in their old places, new ones behind all others, in their order.

    `text` is that of a lock file, or empty: there is none yet.
    """
    from dvc.utils.serialize import dumps_yaml, loads_yaml

    parts = _parts(text)
    if parts is None:  # written by hand, or by another DVC
        told = loads_yaml(text)
        told["stages"] = {**(told.get("stages") or {}), **done}
        return str(dumps_yaml(told))
    parts |= {name: dumps_yaml({"stages": {name: entry}}).partition("\n")[2] for name, entry in done.items()}
    return HEAD + "".join(parts.values())


def _parts(text: str) -> dict[str, str] | None:
    """Each stage's lines by its name; None: the text does not look as DVC writes it."""
    if not text:
        return {}
    body = text.removeprefix(HEAD)
    if body == text or not body.startswith("  "):
        return None
    begins = [*_NAME.finditer(body)]
    ends = [*(m.start() for m in begins[1:]), len(body)]
    parts = {m[1]: body[m.start() : end] for m, end in zip(begins, ends, strict=True)}
    whole = begins[0].start() == 0 and len(parts) == len(begins) if begins else False
    return parts if whole and all(line.startswith("  ") for line in body.splitlines()) else None
