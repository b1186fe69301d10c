"""What the fairness and drift tests do on populations whose truth is known: false alarms, and what they find.

Usage: python bench/gates.py [fairness|drift] (or `make power`); writes bench/gates.json and docs/gates.md.

Fairness: simulated households, four attributes in the proportions of the shipped data and merged by the declared rule,
an offer to one in five; one level of income, a fifth of all, is reached `ratio` times as often. Drift: the shipped
households as they are over nine pairs of months, and with three changes planted into the last one. The code that is
tried is the one the pipeline runs.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.evaluation import bootstrap, drift, wilson
from twinops.evaluation.decision import Judged
from twinops.evaluation.declaration import read_decision
from twinops.evaluation.fairness import Comparison, assess
from twinops.evaluation.groups import groupings
from twinops.twin import features
from twinops.twin.examples import with_text_sid
from twinops.wiring import Project, open_project

ROOT = Path(__file__).resolve().parents[1]
SHARES = {  # households of 801 at each level, as in the shipped demographics
    "age": {"19-24": 46, "25-34": 142, "35-44": 194, "45-54": 288, "55-64": 59, "65+": 72},
    "income": {
        "Under 15K": 61, "15-24K": 74, "25-34K": 77, "35-49K": 172, "50-74K": 192, "75-99K": 96,
        "100-124K": 34, "125-149K": 38, "150-174K": 30, "175-199K": 11, "200-249K": 5, "250K+": 11,
    },
    "marital_status": {"Married": 340, "Unmarried": 324, "not told": 137},
    "household_comp": {"1 Adult No Kids": 250, "2 Adults No Kids": 255, "2 Adults Kids": 187, "1 Adult Kids": 109},
}  # fmt: skip
LESS = ("income", "35-49K")
"""Who is reached `ratio` times as often as the rest."""
SIZES, RATIOS = {801: 100, 3204: 100, 10000: 40}, (1.0, 0.8, 0.6, 0.4)
"""Households and how many runs of each; true ratios."""
LATEST = 337
GONE, GAP_DAYS, FALL = 0.05, 7, 0.9


def main() -> None:
    """Run what was asked for and write both files."""
    path = ROOT / "bench" / "gates.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    asked = sys.argv[1:] or ["fairness", "drift"]
    if "fairness" in asked:
        known["fairness"] = [power(n, ratio) for n in SIZES for ratio in RATIOS]
    if "drift" in asked:
        known["drift"] = drifts(open_project(ROOT))
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    (ROOT / "docs" / "gates.md").write_text(page(known), encoding="utf-8")


def power(n: int, ratio: float) -> dict[str, object]:
    """How often each outcome comes at this size and true ratio."""
    rule = read_decision(ROOT / "compliance" / "intended_use.yaml").fairness
    rule = rule.model_copy(update={"attributes": {k: v for k, v in rule.attributes.items() if k in SHARES}})
    outcomes: Counter[str] = Counter()
    for run in range(SIZES[n]):
        people, table = town(n, ratio, np.random.default_rng([run, n, round(10 * ratio)]))
        draws = bootstrap.counts(n, draws=200, seed=run)
        outcomes[outcome(assess(people, groupings(people, table, rule), rule, draws=draws))] += 1
    say(f"fairness n={n} ratio={ratio}: {dict(outcomes)}")
    rates = {name: [round(v, 4) for v in wilson.share(outcomes[name], SIZES[n])] for name in OUTCOMES}
    return {"n": n, "ratio": ratio, "runs": SIZES[n], **rates}


ABOUT = (__doc__ or "").split("\n")[4:-1]
OUTCOMES = ("failed", "inconclusive", "passed")


def outcome(found: tuple[Comparison, ...]) -> str:
    """As the gate says it: failed if one attribute is uneven, passed if all are shown even."""
    if any(c.uneven for c in found):
        return "failed"
    return "passed" if all(c.shown_even for c in found) else "inconclusive"


def town(n: int, ratio: float, rng: np.random.Generator) -> tuple[Judged, pa.Table]:
    """Households whose attributes tell nothing of one another, nor, but for one level, of the decision."""
    levels = {k: rng.choice(list(v), n, p=np.array(list(v.values())) / sum(v.values())) for k, v in SHARES.items()}
    chance = np.where(levels[LESS[0]] == LESS[1], ratio, 1.0)
    offered = rng.random(n) < 0.2 * chance / chance.mean()
    sids = np.array([f"{i:032x}" for i in range(n)])
    spend = rng.gamma(2, 50, n)
    people = Judged(sids, offered, offered, spend, np.rint(spend * 100).astype(np.int64), np.ones(n, dtype=bool))
    return people, pa.table({"sid": sids, **levels})


def drifts(project: Project) -> list[dict[str, object]]:
    """Flagged features over nine pairs of months as they are, and with each change planted."""
    tables = Tables(project)
    plain = tables.panel(tables.lines)
    pairs = [(day - 28, day) for day in range(LATEST, LATEST - 9 * 28, -28)]
    grid = set(project.params.features.cutoffs)
    found = [compared(plain, plain, pair, "as it was") for pair in pairs if set(pair) <= grid]
    rng = np.random.default_rng(7)
    gone = set(rng.choice(tables.sids, round(GONE * len(tables.sids)), replace=False).tolist())
    day = tables.lines["day"].to_numpy()
    is_gone = np.array([sid in gone for sid in tables.lines["sid"].to_pylist()])
    planted = {
        "spend 10 % lower": tables.cheaper(day >= LATEST - 28),
        "5 % of households vanish": tables.lines.filter(pa.array(~((day >= LATEST - 28) & is_gone))),
        "a feed silent for 7 days": tables.lines.filter(pa.array(~((day >= LATEST - GAP_DAYS) & (day < LATEST)))),
    }
    return found + [
        compared(plain, tables.panel(lines), (LATEST - 28, LATEST), name) for name, lines in planted.items()
    ]


class Tables:
    """The shipped receipts, and panels made of changed ones."""

    def __init__(self, project: Project) -> None:
        from twinops.data.seal import read_sealed

        self.project = project
        batches = project.places.raw_batches("transactions")
        self.lines = with_text_sid(read_sealed(batches, dataset="transactions", keys=project.keys))
        self.sids = pc.unique(self.lines["sid"]).sort().to_pylist()

    def cheaper(self, when: np.ndarray) -> pa.Table:
        """Receipts whose lines of these days cost a tenth less."""
        cents = self.lines["sales_cents"].to_numpy()
        place = self.lines.column_names.index("sales_cents")
        lower = np.where(when, np.rint(FALL * cents).astype(np.int64), cents)
        return self.lines.set_column(place, "sales_cents", pa.array(lower))

    def panel(self, lines: pa.Table) -> pa.Table:
        """Features of all households, as if all allowed it: nothing of it is kept."""
        grid, engine = self.project.params.features, self.project.engine
        days = features.as_of_days(grid, known_until=365)
        allowed = {
            "sid": np.repeat(self.sids, len(days)),
            "cutoff": np.tile(days, len(self.sids)).astype(np.int64),
            **{p: np.ones(len(days) * len(self.sids), dtype=bool) for p in features.PERMISSIONS},
        }
        engine.register("permissions", pa.table(allowed))
        engine.register("transactions", lines)
        return features.panel(engine, grid, known_until=365)


def compared(then: pa.Table, now: pa.Table, pair: tuple[int, int], what: str) -> dict[str, object]:
    """One pair of days."""
    both = pa.concat_tables(
        [then.filter(pc.equal(then["cutoff"], pair[0])), now.filter(pc.equal(now["cutoff"], pair[1]))]
    )
    windows = drift.windows(both, features.WINDOWED, reference=pair[0], current=pair[1])
    found = drift.measure_drift(windows, draws=20, seed=1)
    flagged = [f.name for f in found.features if f.flagged]
    say(f"drift {pair} {what}: {flagged}")
    return {"what": what, "days": list(pair), "households": found.households_current, "flagged": flagged}


def page(known: dict[str, list[dict[str, object]]]) -> str:
    """The tables for readers."""
    lines = ["# What the tests behind two gates find, and how often they cry wolf", "", *ABOUT, ""]
    if "fairness" in known:
        lines += [
            "## Fairness",
            "",
            "Share of runs with each outcome, with its 95 % interval. At ratio 1 the decision is even:",
        ]
        lines += ["*failed* is then a false alarm.", ""]
        lines += ["| households | true ratio | failed | inconclusive | passed | runs |", "|---|---|---|---|---|---|"]
        for row in known["fairness"]:
            cells = [f"{row[o][0]:.2f} [{row[o][1]:.2f}, {row[o][2]:.2f}]" for o in OUTCOMES]  # type: ignore[index]
            lines.append(f"| {row['n']:,} | {row['ratio']:g} | {' | '.join(cells)} | {row['runs']} |")
    if "drift" in known:
        lines += ["", "## Drift", "", "| what | days | households | flagged features |", "|---|---|---|---|"]
        for row in known["drift"]:
            days = row["days"]
            flagged = ", ".join(row["flagged"]) or "none"  # type: ignore[arg-type]
            lines.append(f"| {row['what']} | {days[0]} to {days[1]} | {row['households']:,} | {flagged} |")  # type: ignore[index]
    return "\n".join([*lines, ""])


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
