"""Linkage at 2.5k persons, 100k persons and a million records, beside a weighted rapidfuzz matcher on the same data.

Each side runs in a process of its own, on one thread, from records in Parquet to joined records: CPU seconds (user and
system) and peak memory. The matcher gets our candidate pairs and, with the truth in hand, its best threshold; finding
that threshold is not counted. Usage: python bench/linkage.py [2k5|100k|1m ...]; prints rows of results.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from beside import spent, started

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.linkage.blocking import candidates
from twinops.data.linkage.intake import COMPARED, HOME, LONE, raw_records
from twinops.data.linkage.linking import LinkageSettings, linked
from twinops.data.linkage.normalise import normalised
from twinops.data.linkage.splinking import Drawing
from twinops.demo import accounts, crm, registrations
from twinops.demo.identities import RELATIVES, people_of
from twinops.evaluation.linkage.measures import Counted
from twinops.evaluation.linkage.peers import best, fuzzy_scores, our_fields, plain_fields
from twinops.evaluation.statistics.wilson import share

SIZES = {"2k5": 2_500, "100k": 100_000, "1m": 406_500}
"""Persons; the largest have a million records."""
TWICE = 100_000
"""Up to so many persons the matcher is also tried on our normalised fields."""
SEED, DRAWS = 5, 200
SETTINGS = LinkageSettings(Drawing(seed=17), lone=LONE)
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
Answer = dict[str, float | list[float]]


def linkage(*sizes: str) -> list[dict[str, object]]:
    """F1, CPU seconds and peak memory of every size."""
    return [row for name in sizes for row in _rows(name, SIZES[name])]


def _rows(name: str, persons: int) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="twinops-linkage-") as folder:
        for side in SIDES:
            print(f"bench: linkage {name}: {side}", file=sys.stderr)
            subprocess.run([sys.executable, __file__, "--side", side, folder, str(persons)], check=True)
        ours, peer = (json.loads((Path(folder) / f"{s}.json").read_text(encoding="utf-8")) for s in ("ours", "fuzzy"))
    said = [f"{n} {_told(ours[n])}" for n in ("precision", "recall", "f1")]
    theirs = [f"{n} {_told(peer[n])}" for n in ("precision", "recall", "f1")]
    if "f1_on_our_fields" in peer:
        theirs.append(f"f1 on our normalised fields {peer['f1_on_our_fields']:.4f}")
    told = f"n: records of {persons:,} synthetic persons; {', '.join(said)}; peer: {', '.join(theirs)}"
    quantities = {"f1": ("", "higher is better; "), "cpu": ("CPU s", ""), "mem": ("MB", "peak; ")}
    return [
        {
            "name": f"linkage_{quantity}_{name}",
            "value": _value(ours[quantity]),
            "unit": unit,
            "peer": PEER,
            "ratio": _value(ours[quantity]) / _value(peer[quantity]),
            "n": ours["records"],
            "note": note + told,
        }
        for quantity, (unit, note) in quantities.items()
    ]


def _value(answer: float | list[float]) -> float:
    return answer[0] if isinstance(answer, list) else answer


def _told(answer: list[float]) -> str:
    """Value and interval."""
    value, low, high = answer
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"


def _make(folder: Path, persons: int) -> None:
    """Records as they would be opened, and the truth, as plain Parquet: they are synthetic."""
    people = people_of([f"H{i:07d}" for i in range(round(persons / (1 + RELATIVES)))], SEED)
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


def _ours(folder: Path, persons: int) -> None:  # noqa: ARG001  (as the others)
    engine, raw = DuckDBEngine(threads=1), pq.read_table(folder / "raw.parquet")
    began = started()
    done = linked(engine, raw, SETTINGS)
    cost = spent(began)
    _keep(
        folder, "ours", {**cost, **_worth(Counted.of_groups(done.resolved.person, _person(folder, done.records)), raw)}
    )


def _fuzzy(folder: Path, persons: int) -> None:
    engine, raw = DuckDBEngine(threads=1), pq.read_table(folder / "raw.parquet")
    began = started()
    records = normalised(raw)
    found = candidates(engine, records, lone=LONE, most=SETTINGS.most)
    fields = plain_fields(raw.sort_by([("source", "ascending"), ("record", "ascending")]))
    score = fuzzy_scores(fields, found)
    cost = spent(began)
    person = _person(folder, records)
    answer = {**cost, **_worth(best(score, found, person)[0], raw)}
    if persons <= TWICE:
        answer["f1_on_our_fields"] = best(fuzzy_scores(our_fields(records), found), found, person)[0].f1
    _keep(folder, "fuzzy", answer)


def _keep(folder: Path, side: str, answer: Answer) -> None:
    (folder / f"{side}.json").write_text(json.dumps(answer), encoding="utf-8")


def _worth(counted: Counted, raw: pa.Table) -> Answer:
    """Shares of pairs with Wilson's interval; F1 with one by drawing persons, whose pairs are not independent."""
    right, whole = int(counted.right.sum()), int(counted.all.sum())
    rng, persons = np.random.default_rng(SEED), len(counted.all)
    drawn = [counted.f1_draws(rng.poisson(1.0, (1, persons)))[0] for _ in range(DRAWS)]
    return {
        "precision": list(share(right, max(counted.said, 1))),
        "recall": list(share(right, whole)),
        "f1": [counted.f1, *np.quantile(drawn, [0.025, 0.975]).tolist()],
        "records": raw.num_rows,
    }


def _person(folder: Path, records: pa.Table) -> np.ndarray:
    truth = pq.read_table(folder / "truth.parquet")
    place = pc.index_in(records["record"], truth["record"].combine_chunks())
    return truth["person"].to_numpy()[place.to_numpy()]


SIDES: dict[str, Callable[[Path, int], None]] = {"make": _make, "ours": _ours, "fuzzy": _fuzzy}


def main() -> None:
    """One side of one size, or all sizes."""
    if sys.argv[1:2] == ["--side"]:
        SIDES[sys.argv[2]](Path(sys.argv[3]), int(sys.argv[4]))
        return
    sizes = sys.argv[1:] or SIZES
    rows = [{k: round(v, 4) if isinstance(v, float) else v for k, v in r.items()} for r in linkage(*sizes)]
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
