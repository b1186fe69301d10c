"""Linkage at 2.5k persons, 100k persons and a million records, beside a weighted rapidfuzz matcher on the same data.

Each side runs in a process of its own, from records in Parquet to joined records: CPU seconds (user and system) and
peak memory. The matcher gets our candidate pairs and, with the truth in hand, its best threshold; finding that
threshold is not counted. Usage: python bench/linkage.py [SIZE ...], sizes in persons; prints the rows of results.json.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twinops.adapters.duckdb_engine import DuckDBEngine
from twinops.data.linkage.blocking import candidates
from twinops.data.linkage.intake import COMPARED, HOME, LONE, raw_records
from twinops.data.linkage.linking import Settings, linked
from twinops.data.linkage.normalise import normalised
from twinops.data.linkage.splinking import Drawing
from twinops.demo import accounts, crm, registrations
from twinops.demo.identities import some_people
from twinops.evaluation.linkage import Counted
from twinops.evaluation.linkage_peers import best, fuzzy_scores, our_fields, plain_fields
from twinops.evaluation.wilson import share

SIZES = {"2k5": 2_500, "100k": 100_000, "1m": 406_500}
"""Persons; the largest have a million records."""
SEED = 5
SETTINGS = Settings(Drawing(seed=17), lone=LONE)
COLUMNS = {
    "crm": {
        "sid": "crm_id",
        "given": "first_name",
        "surname": "last_name",
        "born": "birth_date",
        "card": "loyalty_card",
    },
    HOME: {"sid": "card"},
    "social_accounts": {"sid": "account"},
}
"""Names of the sealed columns, where the files call them otherwise."""
PEER = "rapidfuzz, weighted, best threshold"


def linkage(sizes: dict[str, int]) -> list[dict[str, object]]:
    """F1, CPU seconds and peak memory of every size."""
    return [row for name, persons in sizes.items() for row in _rows(name, persons)]


def _rows(name: str, persons: int) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="twinops-linkage-") as folder:
        for side in ("make", "ours", "fuzzy"):
            print(f"bench: linkage {name}: {side}", file=sys.stderr)
            subprocess.run([sys.executable, __file__, "--side", side, folder, str(persons)], check=True)
        ours, peer = (json.loads((Path(folder) / f"{s}.json").read_text(encoding="utf-8")) for s in ("ours", "fuzzy"))
    low, _, high = sorted(share(ours["right"], ours["said"]))
    told = (
        f"n: records of {persons:,} persons; precision {ours['precision']:.4f} [{low:.4f}, {high:.4f}], recall "
        f"{ours['recall']:.4f}; peer: precision {peer['precision']:.4f}, recall {peer['recall']:.4f}; the peer on our "
        f"normalised fields: F1 {peer['f1_on_our_fields']:.4f}"
    )
    quantities = {"f1": ("", "higher is better; "), "cpu": ("CPU s", ""), "mem": ("MB", "peak; ")}
    return [
        {
            "name": f"linkage_{quantity}_{name}",
            "value": ours[quantity],
            "unit": unit,
            "peer": PEER,
            "ratio": ours[quantity] / peer[quantity],
            "n": ours["records"],
            "note": note + told,
        }
        for quantity, (unit, note) in quantities.items()
    ]


def _make(folder: Path, persons: int) -> None:
    """Records as they would be opened, and the truth, as plain Parquet: they are synthetic."""
    people = some_people(persons, SEED)
    made = {
        "crm": crm.profiles(people, SEED),
        HOME: registrations.registrations(people, SEED),
        "social_accounts": accounts.accounts(people, SEED),
    }
    tables, truth = {}, []
    for source, records in made.items():
        columns = {**records.columns, **{ours: records.columns[theirs] for ours, theirs in COLUMNS[source].items()}}
        wanted = {c: pa.array(columns[c].tolist(), pa.string()) for c in ("sid", *COMPARED[source].values())}
        tables[source] = pa.table({c: pc.if_else(pc.equal(v, ""), None, v) for c, v in wanted.items()})
        truth.append(pa.table({"record": tables[source]["sid"], "person": pa.array(records.person, pa.int64())}))
    pq.write_table(raw_records(tables), folder / "raw.parquet")
    pq.write_table(pa.concat_tables(truth), folder / "truth.parquet")


def _ours(folder: Path) -> dict[str, object]:
    engine, raw = DuckDBEngine(threads=1, memory_limit="1GB"), pq.read_table(folder / "raw.parquet")
    started = process_time()
    done = linked(engine, raw, SETTINGS)
    spent = _spent(started)
    return {**spent, **_worth(Counted.of_groups(done.resolved.person, _person(folder, done.records)), raw)}


def _fuzzy(folder: Path) -> dict[str, object]:
    engine, raw = DuckDBEngine(threads=1, memory_limit="1GB"), pq.read_table(folder / "raw.parquet")
    started = process_time()
    records = normalised(raw)
    found = candidates(engine, records, lone=LONE, most=SETTINGS.most)
    fields = plain_fields(raw.sort_by([("source", "ascending"), ("record", "ascending")]))
    score = fuzzy_scores(fields, found)
    spent = _spent(started)
    person = _person(folder, records)
    on_ours = best(fuzzy_scores(our_fields(records), found), found, person)[0]
    return {**spent, **_worth(best(score, found, person)[0], raw), "f1_on_our_fields": on_ours.f1}


def _spent(started: float) -> dict[str, object]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu": process_time() - started, "mem": peak}


def _worth(counted: Counted, raw: pa.Table) -> dict[str, object]:
    right, whole = int(counted.right.sum()), int(counted.all.sum())
    precision, recall = right / max(counted.said, 1), right / whole
    return {
        "f1": counted.f1,
        "precision": precision,
        "recall": recall,
        "right": right,
        "said": counted.said,
        "records": raw.num_rows,
    }


def _person(folder: Path, records: pa.Table) -> np.ndarray:
    truth = pq.read_table(folder / "truth.parquet")
    place = pc.index_in(records["record"], truth["record"].combine_chunks())
    return truth["person"].to_numpy()[place.to_numpy()]


def main() -> None:
    """One side of one size, or all sizes."""
    if sys.argv[1:2] == ["--side"]:
        side, folder, persons = sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
        if side == "make":
            _make(folder, persons)
            return
        answer = _ours(folder) if side == "ours" else _fuzzy(folder)
        (folder / f"{side}.json").write_text(json.dumps(answer), encoding="utf-8")
        return
    asked = {str(n): int(n) for n in sys.argv[1:]} or SIZES
    print(
        json.dumps(
            [{k: round(v, 4) if isinstance(v, float) else v for k, v in r.items()} for r in linkage(asked)], indent=1
        )
    )


if __name__ == "__main__":
    main()
