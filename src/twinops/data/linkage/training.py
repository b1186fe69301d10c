"""Estimate the linkage model from the records alone; nobody's labels are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.linkage.comparisons import BY_NAME, COMPARISONS, IDENTIFYING, SESSIONS, TOLD_BY_KIN
from twinops.data.linkage.model import Levels, Model, chance, odds_bits
from twinops.data.linkage.splinking import AT_A_TIME, Drawing, splink_with
from twinops.plugins import text_beside
from twinops.ports import Engine

LEAST = 0.002
"""No m or k is taken to be smaller: nobody's sample shows certainty."""
ROUNDS = 30
FEW_NAMES = 30
"""With fewer records that tell a given name, names tell nobody apart."""
SHRINK = 5


def trained(engine: Engine, records: pa.Table, pairs: pa.Table, drawing: Drawing) -> Model:
    """Estimate every share of the model but those between sources (`scoring.py` settles them).

    1. u of every level from random pairs, and of identifying values from pairs whose given names differ; 2. m by EM
    over the pairs of each block; 3. random pairs are a mixture of matches and strangers, so the matches are taken out
    of u again, and the prior is what the candidates' probabilities add up to (of every n-th candidate, where there are
    very many); 4. k from pairs at one door with one surname and two given names.
    """
    strangers = _strangers(engine, records, drawing.lone)
    with splink_with(records) as desk:
        drawn = _Drawn(desk.drawn_u(drawing), strangers, 1 / drawing.u_pairs)
        agreeing, prior = _mostly_agreeing(), 1 / records.num_rows
        start = Model(prior, agreeing, drawn.u(prior, agreeing), agreeing)
        # an EM run tells nothing of the comparisons its block was made by
        runs = [(desk.em(start, block, drawing), names) for block, names in SESSIONS]
        m = _averaged([{n: levels for n, levels in run.items() if n in names} for run, names in runs])
        first = Model(start.prior, m, drawn.u(start.prior, m), m)
        each = -(-pairs.num_rows // AT_A_TIME)
        found = desk.patterns(first, pairs.take(np.arange(0, pairs.num_rows, max(each, 1))))
    patterns = Patterns(
        {c.name: first.level_of(c.name, found[c.name].to_numpy()) for c in COMPARISONS},
        found["pairs"].to_numpy() * each,
    )
    prior = _settled(first, patterns, drawn, total=records.num_rows * (records.num_rows - 1) / 2)
    u = drawn.u(prior, m)
    return Model(prior, m, u, _relatives(patterns, m, u), _lift(engine, records)).rounded()


@dataclass(frozen=True)
class Patterns:
    """How often each combination of levels occurs among the candidates; 0 not known, 1 the best level."""

    levels: dict[str, np.ndarray]
    pairs: np.ndarray

    def at(self, name: str, place: int) -> np.ndarray:
        """Where a comparison is at this place among its levels (0 the best, -1 different)."""
        return np.asarray(self.levels[name] == range(1, len(BY_NAME[name].words) + 1)[place])

    def shares(self, name: str, rows: np.ndarray, *, like: tuple[float, ...]) -> tuple[float, ...]:
        """Share of each level among the rows where it is known; one pair is added that is spread like `like`."""
        counts = np.bincount(self.levels[name][rows], weights=self.pairs[rows], minlength=len(like) + 1)[1:] + np.array(
            like
        )
        return _kept(counts)


@dataclass(frozen=True)
class _Drawn:
    """What random pairs showed, and what is known of strangers."""

    shares: Levels
    strangers: dict[str, float]
    least: float

    def u(self, prior: float, m: Levels) -> Levels:
        """The drawn shares without the matches in them; for identifying values the strangers' own."""
        out = {}
        for name, shares in self.shares.items():
            values = [max((d - prior * k) / (1 - prior), self.least) for d, k in zip(shares, m[name], strict=True)]
            out[name] = (self.strangers.get(name, values[0]), *values[1:])
        return out


def _strangers(engine: Engine, records: pa.Table, lone: Sequence[str]) -> dict[str, float]:
    """How often strangers share each identifying value; half a pair is added, so that never is not certainty.

    Where hardly anybody's given name is known, strangers are the pairs inside sources that hold nobody twice.
    """
    engine.register("records", records)
    out = {}
    for name, value in IDENTIFYING.items():
        known = f"SELECT id, source, root, given, {value} AS value FROM records WHERE given IS NOT NULL ORDER BY id"  # noqa: S608  (own constants)
        valued = engine.query(known)
        engine.register("valued", valued.filter(pc.is_valid(valued["value"])))
        row = engine.query(text_beside(__package__, "strangers.sql")).to_pylist()[0]
        out[name] = (row["shared"] + 0.5) / max(row["records"] * (row["records"] - 1) / 2, 1)
        if row["records"] < FEW_NAMES:
            out[name] = _strangers_inside(engine, value, lone)
    return out


def _strangers_inside(engine: Engine, value: str, lone: Sequence[str]) -> float:
    """The same, seen inside the sources that hold nobody twice."""
    every = f"SELECT id, source, {value} AS value FROM records ORDER BY id"  # noqa: S608  (own constants)
    engine.register("lone", pa.table({"source": pa.array(list(lone), pa.string())}))
    valued = engine.query(every)
    engine.register("valued", valued.filter(pc.is_valid(valued["value"])))
    row = engine.query(text_beside(__package__, "strangers_inside.sql")).to_pylist()[0]
    return float((row["shared"] + 0.5) / max(row["ordered_pairs"] / 2, 1))


def _lift(engine: Engine, records: pa.Table) -> float:
    """How much oftener strangers of one surname share the given name than any do, each with `SHRINK` pairs more."""
    engine.register("records", records)
    row = engine.query(text_beside(__package__, "namesakes.sql")).to_pylist()[0]
    roots = records["root"].drop_null().value_counts()
    share = float(((np.array([r["counts"] for r in roots.to_pylist()]) / len(records["root"].drop_null())) ** 2).sum())
    return max(float((row["namesakes"] + SHRINK) / (row["pairs"] * share + SHRINK)), 1.0)


def _mostly_agreeing() -> Levels:
    """Where EM begins: most matches agree."""
    return {c.name: (0.9, *(0.1 / len(c.levels) for _ in c.levels)) for c in COMPARISONS}


def _averaged(sessions: Sequence[Levels]) -> Levels:
    """Mean m over the EM runs a comparison was asked of; where none saw it, as if most matches agreed."""
    out = {}
    for name, otherwise in _mostly_agreeing().items():
        seen = [m[name] for m in sessions if name in m and sum(m[name]) > 0]
        out[name] = _kept(np.mean(seen or [otherwise], axis=0))
    return out


def _kept(shares: np.ndarray) -> tuple[float, ...]:
    """Shares that add up to one, none below `LEAST`."""
    raised = (shares / shares.sum()).clip(LEAST)
    return tuple((raised / raised.sum()).tolist())


def _settled(model: Model, patterns: Patterns, drawn: _Drawn, *, total: float) -> float:
    """The prior at which the candidates' probabilities add up to itself, with u following it."""
    prior = model.prior
    for _ in range(ROUNDS):
        now = Model(prior, model.m, drawn.u(prior, model.m), model.k)
        bits = odds_bits(prior) + sum(np.array((0.0, *now.weights(n)))[level] for n, level in patterns.levels.items())
        one = np.where(patterns.at("given", -1), 0.0, chance(bits))
        prior = max(float((one * patterns.pairs).sum()) / total, 1 / total)
    return prior


def _relatives(patterns: Patterns, m: Levels, u: Levels) -> Levels:
    """How often relatives agree, seen in pairs at one door with one surname and two given names.

    Two birthdays under one given name at one door make namesakes, and their share. What cannot be seen this way
    (surname, place, handle) does not tell relatives from one person.
    """
    home = (patterns.at("surname", 0) | patterns.at("surname", 1)) & patterns.at("place", 0)
    kin = home & patterns.at("given", -1)
    named = patterns.pairs[home & ~kin & patterns.at("born", -1)].sum() + 0.5
    share = float(named / (named + patterns.pairs[kin & (patterns.levels["born"] > 0)].sum() + 0.5))
    k = {n: patterns.shares(n, kin, like=u[n]) if n in TOLD_BY_KIN else m[n] for n in m}
    k["given"] = tuple(share * a + (1 - share) * b for a, b in zip(m["given"], u["given"], strict=True))
    return k
