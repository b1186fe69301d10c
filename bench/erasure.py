"""What erasing costs: one of 100,000 and 1,000 of them, with five revisions, a cache and a remote; beside rewriting."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scratch import BIN, ROOT

sys.path.append(str(ROOT / "tests" / "unit"))

REVISIONS = 5


def erasure(*, quick: bool = False) -> list[dict[str, object]]:
    """Erase by the command's own workflow; the peer filters the same rows out of plain Parquet, object by object."""
    from erasable import make_shop, natural

    people = 5_000 if quick else 100_000
    print(f"bench: erasure, {people:,} people", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="twinops-erasure-") as home:
        shop = make_shop(Path(home) / "shop", households=people, months=REVISIONS)
        plain, objects = _plain_history(shop, Path(home) / "plain")
        _begin_dvc(shop)
        one = _cpu(lambda: shop.erase(natural(17)))
        files = _cpu(lambda: _written_without(shop))
        many = _cpu(lambda: shop.erase(*(natural(n) for n in range(1_000, 2_000))))
        many_files = _cpu(lambda: _written_without(shop))
        opening = _cpu(lambda: _everything_opened(shop))
        rewriting = _cpu(lambda: [_rewritten(path) for path in plain])
    whole = "and the data as they lie, sealed anew without them, put under DVC (`dvc commit`)"
    told = f"n people, {REVISIONS} revisions, {objects} objects in a cache, as many in a remote; rotation included"
    beside = {"peer": "rewriting plain Parquet objects, without git's history"}
    return [
        _row("erase_cpu_100k", one, people, f"one person; {told}") | beside | {"ratio": one / rewriting},
        _row("erase_and_dvc_cpu_100k", one + files, people, f"the same, {whole}")
        | beside
        | {"ratio": (one + files) / rewriting},
        _row("erase_1000_cpu", many, people, f"1,000 persons in one act; {told}")
        | beside
        | {"ratio": many / rewriting},
        _row("erase_1000_and_dvc_cpu", many + many_files, people, f"the same, {whole}")
        | beside
        | {"ratio": (many + many_files) / rewriting},
        _row("erase_check_cpu", opening, people, "every object opened with every key that lives"),
    ]


def _begin_dvc(shop) -> None:
    """The data as outputs of one stage of a real DVC project, committed; this is not measured."""
    outs = [path.relative_to(shop.root).as_posix() for path in _data(shop)]
    (shop.root / "dvc.yaml").write_text(json.dumps({"stages": {"all": {"cmd": "true", "outs": outs}}}))
    (shop.root / "dvc.lock").unlink()
    _dvc(shop, "commit", "--force")
    shop.git("add", "dvc.yaml", "dvc.lock")
    shop.git("commit", "-qm", "under DVC")


def _written_without(shop) -> None:
    """What `dvc repro` does once sources are read: every file sealed of whom is left, and put into the cache."""
    from twinops.data.vault.seal import read_sealed, with_text_sid, write_sealed
    from twinops.data.vault.sealed_file import label_of

    store = shop.store
    for path in _data(shop):
        dataset = label_of(path).dataset
        table = with_text_sid(read_sealed(path, dataset=dataset, keys=store))
        write_sealed(table, path, dataset=dataset, keys=store, subject="sid")
    _dvc(shop, "commit", "--force")
    shop.git("commit", "-qm", "without them", "dvc.lock")


def _data(shop) -> list[Path]:
    """Every sealed file as it lies, but quarantines."""
    return [p for p in sorted((shop.root / "data").rglob("*.parquet")) if "quarantine" not in p.parts]


def _dvc(shop, *words: str) -> None:
    subprocess.run([BIN / "dvc", *words], cwd=shop.root, check=True, capture_output=True)


def _row(name: str, value: float, n: int, note: str) -> dict[str, object]:
    return {"name": name, "value": value, "unit": "CPU s", "peer": None, "ratio": None, "n": n, "note": note}


def _cpu(does: Callable[[], object]) -> float:
    """CPU seconds of this process and the children it waited for."""
    before = _spent()
    does()
    return _spent() - before


def _spent() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _objects(shop) -> list[Path]:
    remote = shop.root.parent / f"{shop.root.name}-remote"
    homes = (shop.root / ".dvc" / "cache" / "files", remote)
    return [p for home in homes for p in sorted(home.rglob("*")) if p.is_file()]


def _plain_history(shop, into: Path) -> tuple[list[Path], int]:
    """The same objects as plain Parquet files with a column of ids."""
    from twinops.data.vault.sealed_file import SealedFile

    into.mkdir()
    objects, made, store = _objects(shop), [], shop.store
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    for number, path in enumerate(objects):
        file = SealedFile.copy(path)
        if file.label.dataset.startswith("quarantine/"):
            continue
        held = store.subject_keys([s.hex() for s in file.sids])
        values, counts, sids = file.open({bytes.fromhex(s): AESSIV(k) for s, k in held.items()})
        names = [s.hex() for s, n in zip(sids, counts, strict=True) for _ in range(n)]
        table = pa.table({"id": names, **dict(zip(values.column_names, values.columns, strict=True))})
        made.append(into / f"{number}.parquet")
        pq.write_table(table, made[-1], compression="zstd")
    return made, len(objects) // 2


def _rewritten(path: Path) -> str:
    """Without one person, under the name its new content gives it."""
    table = pq.read_table(path)
    kept = table.filter(pc.not_equal(table["id"], table["id"][0].as_py()))
    pq.write_table(kept, path, compression="zstd")
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _everything_opened(shop) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    from twinops.data.vault.sealed_file import SealedFile

    store = shop.store
    for path in _objects(shop):
        file = SealedFile.copy(path)
        if not file.label.dataset.startswith("quarantine/"):
            held = store.subject_keys([s.hex() for s in file.sids])
            file.open({bytes.fromhex(s): AESSIV(k) for s, k in held.items()})
