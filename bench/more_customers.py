"""A larger shop out of a project that has collected its receipts: each customer several times, under keys of their own.

What is sealed of a customer is opened and sealed again for others as it lies there: so a shop of fifty times the
shipped receipts is there in seconds.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from zstandard import ZstdDecompressor

from twinops.data.vault.sealed_file import SealedFile, writing
from twinops.ports import KeyStore
from twinops.wiring import Project

SOURCE = "transactions"


def with_more_customers(project: Path, larger: Path, *, times: int) -> None:
    """Copy a project, and give it so many customers with the same receipts in place of each."""
    shutil.copytree(project, larger)
    made = Project(larger)
    for path in made.places.raw_batches(SOURCE):
        _sealed_again(path, made.keys, times)


def _sealed_again(path: Path, keys: KeyStore, times: int) -> None:
    file = SealedFile.read(path, SOURCE)
    bound, held = file.label.bound, keys.subject_keys([sid.hex() for sid in file.sids])
    opened = zip(file.sids, file.frames, strict=True)
    squeezed = [AESSIV(held[sid.hex()]).decrypt(frame, [sid, *bound]) for sid, frame in opened]
    plain = list(map(ZstdDecompressor().decompress, squeezed))
    whose = dict(zip(file.sids, plain, strict=True))
    for copy in range(1, times):
        names = keys.subject_ids([f"{sid.hex()} {copy}" for sid in file.sids])
        whose |= {bytes.fromhex(name): frame for name, frame in zip(names, plain, strict=True)}
    sids = sorted(whose)
    given = keys.subject_keys([sid.hex() for sid in sids])
    with writing(path, file.label) as part:
        part(sids, (whose[sid] for sid in sids), [given[sid.hex()] for sid in sids])
