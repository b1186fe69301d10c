"""The same computation as the pipeline in one plain process: plain Parquet, no sealing, DVC, notebooks or documents.

It calls the workflows one after the other as `dvc.yaml` lists them, with sealing replaced by plain Parquet, so that
only what surrounds them differs. Usage: python bench/plain.py PROJECT; writes into that copy of the project, prints CPU
seconds per stage as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import process_time

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from twinops.data.vault import seal
from twinops.errors import DataError

LEFT_OUT = ("documents",)
"""Evidence, verdicts, cards and records: a plain script has none."""


def write_plain(table: pa.Table, path: Path, *, subject: str, **_bound: object) -> seal.Written:
    """In the place of `seal.write_sealed`: the same rows in the same order, by natural id."""
    if table[subject].null_count:
        raise DataError("A row has no subject.")
    sid = pc.cast(_decoded(table[subject]), pa.string())
    rest = table.drop_columns([subject])
    rows = pc.array_sort_indices(sid)
    _write(rest.add_column(0, "sid", sid).take(rows), path)
    return seal.Written(pc.count_distinct(sid).as_py(), table.num_rows)


def read_plain(paths: Sequence[Path] | Path, **_bound: object) -> pa.Table:
    """In the place of `seal.read_sealed`."""
    files = [paths] if isinstance(paths, Path) else list(paths)
    if not files:
        raise DataError("There is no such file.")
    return pa.concat_tables([pq.read_table(f, read_dictionary=["sid"]) for f in files]).unify_dictionaries()


def aside_plain(table: pa.Table, path: Path, **_bound: object) -> None:
    """In the place of `seal.write_quarantine`."""
    _write(table, path)


def _decoded(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _write(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")


def steps(project: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Stage, workflow and arguments of every command of `dvc.yaml`, in its order."""
    months = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))["months"]
    for name, stage in yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items():
        each = stage.get("foreach", [""])
        for item in months if each == "${months}" else each:
            words = stage.get("do", stage)["cmd"].replace("${item}", item).split()
            if name not in LEFT_OUT:
                yield name, words[2], dict(zip((w.lstrip("-") for w in words[3::2]), words[4::2], strict=True))


def main() -> None:
    """Run all steps and say what each cost."""
    seal.write_sealed, seal.read_sealed, seal.write_quarantine = write_plain, read_plain, aside_plain
    from twinops import open_project  # only now: workflows take these functions as they find them

    root, cost = Path(sys.argv[1]), Counter()
    project = open_project(root)
    for name, workflow, arguments in steps(root):
        began = process_time()
        project.run(workflow, **arguments)
        cost["collect" if name.startswith("collect") else name] += process_time() - began
    print(json.dumps({**cost, "start": process_time() - sum(cost.values())}))


if __name__ == "__main__":
    main()
