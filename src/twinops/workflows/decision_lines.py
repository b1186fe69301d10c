"""The lines a service keeps of what it answered: where they lie, and under which pseudonyms."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from twinops.workflows.places import Places

FOLDER = "service"
KEY = ("serve", "decisions")
"""Under which name the key store holds the key of the pseudonyms."""


def folder_of(places: Places) -> Path:
    """Where they lie."""
    return places.live(FOLDER) / "decisions"


def pseudonym(key: bytes, sid: str) -> str:
    """A consumer's name in these lines: nobody without the key can make it."""
    return "d-" + hmac.digest(key, sid.encode(), sha256).hex()[:20]


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """Every line of every instance; the last of a file may be half where a process was killed."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    yield json.loads(line)
                except ValueError:
                    continue
