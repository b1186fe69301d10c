"""What came of a siege, told: a table by group and target, what is open, JSON, and a section of the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from siege.kit import BROKEN, HELD, OPEN, UNCLEAR, Attack, Outcome, attacks, attempts

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "operate.md"
KEPT = ROOT / "bench" / "siege.json"
BEGIN, END = "<!-- made by `make siege`; not by hand -->", "<!-- end of what `make siege` made -->"


@dataclass(frozen=True)
class Column:
    """One target and what came of each attempt on it."""

    target: str
    """twinops or stock MLflow."""
    database: str
    storage: str
    mlflow: str
    outcomes: dict[str, tuple[str, str]]
    """Word and reason by the attempt's id."""

    @property
    def title(self) -> str:
        return f"{self.target}, {self.database}, {self.storage}, MLflow {self.mlflow}"


def column(outcomes: Iterable[Outcome], **told: Any) -> Column:
    """What is kept of a run."""
    return Column(**told, outcomes={o.attempt.id: (o.word, o.why) for o in outcomes})


def keep(made: Sequence[Column], path: Path = KEPT) -> list[Column]:
    """Write what was found over what was found of the same attempts on the same targets before; all are returned."""
    there = [_read(c) for c in json.loads(path.read_text())["columns"]] if path.is_file() else []
    every = {c.title: c for c in there}
    known = {one.id for one in attempts(attacks())}
    for fresh in made:
        before = every[fresh.title].outcomes if fresh.title in every else {}
        kept = {name: told for name, told in before.items() if name in known}
        every[fresh.title] = replace(fresh, outcomes={**kept, **fresh.outcomes})
    columns = sorted(every.values(), key=lambda c: (c.target != "twinops", c.mlflow, c.storage, c.database))
    path.write_text(json.dumps({"columns": [vars(c) for c in columns]}, indent=1, sort_keys=True) + "\n")
    return columns


def _read(told: dict[str, Any]) -> Column:
    return Column(**{**told, "outcomes": {k: (w, y) for k, (w, y) in told["outcomes"].items()}})


def of(one: Attack, found: Column) -> list[str]:
    """Words of one attack's attempts."""
    return [w for name, (w, _) in found.outcomes.items() if name.partition("[")[0] == one.name]


def cell(words: list[str]) -> str:
    """Held and open, of what applies."""
    held, opened = words.count(HELD) + words.count(UNCLEAR), words.count(OPEN)
    if not words:
        return "not tried yet"
    broken = f", {words.count(BROKEN)} not tried" if BROKEN in words else ""
    return f"{held} held, {opened} open{broken}" if held + opened else "not applicable" + broken


def markdown(columns: Sequence[Column]) -> str:
    """The table of groups, and below it what is known and open."""
    known = attacks()
    groups = dict.fromkeys(one.group for one in known)
    lines = ["| tried | " + " | ".join(c.title for c in columns) + " |", "|---|" + "---|" * len(columns)]
    for group in groups:
        chosen = [one for one in known if one.group == group and not one.residual]
        cells = [cell([w for one in chosen for w in of(one, c)]) for c in columns]
        if chosen:
            lines.append(f"| {group} | " + " | ".join(cells) + " |")
    lines += ["", "Known, open, and each shown for what it is by a row of the kit:", ""]
    lines += [f"- {one.row} (`{one.name}`)" for one in known if one.residual]
    return "\n".join(lines)


def open_rows(found: Column) -> list[str]:
    """What is open though nobody says so, with what was seen."""
    known = {one.name: one for one in attacks()}
    told = []
    for name, (word, why) in found.outcomes.items():
        residual = known[name.partition("[")[0]].residual
        if word in (OPEN, BROKEN, UNCLEAR) and not (residual and word == OPEN):
            told.append(f"{word}: {name}: {known[name.partition('[')[0]].row}: {why.strip()[-300:]}")
        elif residual and word == HELD:
            told.append(f"listed as open and held: {name}")
    return told


def into_document(columns: Sequence[Column], path: Path = DOCUMENT) -> None:
    """Between the markers, so that the document says what was found."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{markdown(columns)}\n{END}{after}")
