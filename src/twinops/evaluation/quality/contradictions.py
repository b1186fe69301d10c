"""What one source says and another denies, each as a query in a file of its own, counted over all sources there are."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files

from twinops.ports import Engine

_HEAD = re.compile(r"^-- (source|says|reads): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """One query: the source it accuses, what it finds, the tables it reads."""

    id: str
    source: str
    says: str
    reads: tuple[str, ...]
    sql: str


@dataclass(frozen=True)
class Contradiction:
    """How many rows were checked, and how many contradict."""

    check: Check
    concerned: int
    contradicting: int


def checks() -> tuple[Check, ...]:
    """Every query of the folder, by name."""
    folder = files(__package__).joinpath("contradictions")
    return tuple(
        _check(f.name.removesuffix(".sql"), f.read_text(encoding="utf-8"))
        for f in sorted(folder.iterdir(), key=lambda f: f.name)
        if f.name.endswith(".sql")
    )


def found(engine: Engine, there: Collection[str]) -> tuple[Contradiction, ...]:
    """The answers of every check whose tables are there; the engine holds them under their sources' names."""
    out = []
    for check in checks():
        if set(check.reads) <= set(there):
            row = engine.query(check.sql).to_pylist()[0]
            out.append(Contradiction(check, row["concerned"], row["contradicting"]))
    return tuple(out)


def _check(name: str, sql: str) -> Check:
    """A query and what the comments at its head say of it."""
    head = dict(_HEAD.findall(sql))
    return Check(name, head["source"], head["says"], tuple(head["reads"].split(", ")), sql)
