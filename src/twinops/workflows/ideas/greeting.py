"""The checks that greet a file of the project, each a sentence that holds or the reason why it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ValidationError

from twinops import plugins
from twinops.data.door import BatchRequest
from twinops.data.quality import part
from twinops.data.schema import Schema
from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.legal import LegalFacts
from twinops.entities.verdict import Outcome, Verdict
from twinops.errors import TwinopsError
from twinops.governance import citations
from twinops.governance.policy.decide import decide
from twinops.governance.policy.limits import Policy
from twinops.ideas import folder_of
from twinops.plugins import Idea
from twinops.ports import Engine
from twinops.twin.model.own_learning import answered
from twinops.twin.own_features._shelf import OwnFeature, own_features
from twinops.twin.own_features.computed import VALUE, WHO, of_one, with_own
from twinops.twin.own_heads._shelf import own_head
from twinops.twin.own_heads.stored import StoredEstimator, store
from twinops.workflows.places import Places

LARGEST_HEAD = 1_000_000
"""So many characters of JSON a head may take: what grows with every row remembers the rows."""
Checks = Iterator[tuple[str, str]]
"""A sentence, and why it does not hold; empty: it holds."""


@dataclass(frozen=True)
class Here:
    """The project in which a file is looked at."""

    places: Places
    engine: Engine
    policy: Policy | None

    @property
    def evidence(self) -> Evidence:
        """What was measured here; of a project that did not run yet nothing."""
        path = self.places.evidence
        nothing = Evidence("twin", "0" * 64, date(2000, 1, 1), (), ())
        return Evidence.from_json(path.read_text(encoding="utf-8")) if path.is_file() else nothing


def greeted(idea: Idea, here: Here) -> Checks:
    """Every check of the file's shelf; after the first that a broken file cannot pass, no more are made."""
    try:
        module = plugins.load(idea.shelf, idea.name)
        yield "it can be loaded", ""
        yield from CHECKS[folder_of(idea.path)](module, idea, here)
    except TwinopsError as problem:
        yield "it does what its shelf asks", str(problem)
    except Exception as problem:  # a stranger's file may do anything: it is told in a sentence
        yield "it does what its shelf asks", f"it ended with {type(problem).__name__}: {str(problem)[:200]}"


def _gate(module: ModuleType, idea: Idea, here: Here) -> Checks:
    others = [plugins.load(idea.shelf, n).RULE for n in plugins.names(idea.shelf) if n != idea.name]
    listed = [g for g in (here.policy.gates if here.policy else ()) if g.gate == idea.name]
    limits = listed[0].checked_limits() if listed else module.Limits()
    yield "its first line says what it refuses", _unless((module.__doc__ or "").startswith("Refuse "), "begin: Refuse")
    yield (
        "its rule is its own, and cites where it comes from",
        _unless(
            module.RULE not in others and bool(re.search(r"art|doi|CFR|\d{4}", module.RULE)),
            "RULE names no source, or twice",
        ),
    )
    yield "its question is one", _unless(module.QUESTION.endswith("?"), "QUESTION ends without ?")
    yield "its limits are frozen and refuse what they do not know", _strict(module.Limits)
    yield (
        "without evidence it answers missing",
        _missing(module.check(replace(here.evidence, measures=(), facts=()), limits)),
    )
    verdicts = [module.check(here.evidence, limits) for _ in range(2)]
    yield (
        "it gives one verdict on what lies here, the same each time",
        _unless(
            isinstance(verdicts[0], Verdict) and verdicts[0] == verdicts[1], "two answers on the same evidence differ"
        ),
    )
    needed = module.needs(limits)
    yield (
        "it says by which names it judges",
        _unless(
            isinstance(needed, tuple) and bool(needed) and all(isinstance(n, str) for n in needed),
            "needs() gives no names",
        ),
    )
    entry = f"- {{id: {idea.name}, gate: {idea.name}, limits: {{...}}}}"
    yield "the policy asks it", _unless(bool(listed), f"the risk officer adds to compliance/policy.yaml: {entry}")


def _strict(limits: Any) -> str:
    if not (isinstance(limits, type) and issubclass(limits, BaseModel) and limits.model_config.get("frozen")):
        return "Limits is no frozen record: class Limits(Record)"
    try:
        limits.model_validate({"a surprise": 1})
    except ValidationError:
        return ""
    return "Limits takes what it does not know"


def _missing(verdict: Any) -> str:
    said = verdict.outcome if isinstance(verdict, Verdict) else "no verdict"
    return _unless(said is Outcome.MISSING, f"it answers {said}")


def _document(module: ModuleType, idea: Idea, here: Here) -> Checks:
    others = {f for n in plugins.names(idea.shelf) if n != idea.name for f in plugins.load(idea.shelf, n).FILES}
    yield (
        "its files are its own",
        _unless(
            isinstance(module.FILES, tuple)
            and not set(module.FILES) & others
            and all(re.fullmatch(r"[a-z][a-z0-9_]{0,60}\.(md|html|json|csv)", f) for f in module.FILES),
            "FILES names a file of another document, or no .md, .html, .json or .csv",
        ),
    )
    if here.policy is None:
        return
    for told, evidence in {"what lies here": here.evidence, "nothing": _nothing(here.evidence)}.items():
        built = module.build(evidence, decide(here.policy, evidence))
        yield f"of {told} it makes its files and no others", _unless(set(built) == set(module.FILES), "others are made")
        faults = [f for name, text in built.items() for f in citations.faults(name, text, citations.ids(evidence))]
        yield f"of {told} every figure is cited", "; ".join(faults[:3])


def _nothing(evidence: Evidence) -> Evidence:
    return replace(evidence, measures=(), facts=(), shown=())


def _source(module: ModuleType, _idea: Idea, here: Here) -> Checks:
    legal, schema = module.LEGAL, module.SCHEMA
    yield (
        "it says the law",
        _unless(isinstance(legal, LegalFacts) and isinstance(schema, Schema), "no LegalFacts, Schema"),
    )
    yield (
        "no column enters without a purpose",
        _unless(
            set(legal.columns) == set(schema.names) and all(legal.columns.values()),
            "LEGAL.columns is not SCHEMA's columns",
        ),
    )
    used = {p for purposes in legal.columns.values() for p in purposes}
    yield "no purpose is without a basis", _unless(used <= set(legal.bases), "LEGAL.bases lacks a purpose")
    yield "it says how long rows are kept", _unless(bool(legal.retention_days), "LEGAL.retention_days is missing")
    path = here.places.root / module.FILE
    yield "its file lies in the project", _unless(path.is_file(), f"there is no {module.FILE}")
    if path.is_file():
        came = module.read(here.engine, BatchRequest("all", path.parent))
        good = part(came.rows, schema).good
        yield "of its file rows can be taken", _unless(good.num_rows > 0, "no row fits its SCHEMA")
        yield (
            "it seals them by whom they are about",
            _unless("household_id" in module.sealed(good).column_names, "sealed() gives no household_id"),
        )


def _feature(_module: ModuleType, idea: Idea, here: Here) -> Checks:
    feature = next(f for f in own_features() if f.name == idea.name)
    yield "its purposes and columns are declared", ""
    lines, panel = _made_up(feature)
    values = with_own(panel, lines, [feature], here.engine)[feature.column].to_pylist()
    yield "it gives one number for each subject as of each day", ""
    again = with_own(panel, lines.take(pa.array(range(lines.num_rows))[::-1]), [feature], here.engine)
    yield "rows in another order give the same", _unless(again[feature.column].to_pylist() == values, "they do not")
    last = max(panel["cutoff"].to_pylist())
    alone = [
        of_one(
            lines.filter(pc.and_(pc.equal(lines["sid"], s), pc.less(lines["day"], last))), last, [feature], here.engine
        )
        for s in panel.filter(pc.equal(panel["cutoff"], last))["sid"].to_pylist()
    ]
    together = [v for v, day in zip(values, panel["cutoff"].to_pylist(), strict=True) if day == last]
    yield (
        "a subject's number hangs on that subject alone",
        _unless([a[feature.column] for a in alone] == together, f"asked alone, {WHO}s get another {VALUE}"),
    )


def _made_up(feature: OwnFeature) -> tuple[pa.Table, pa.Table]:
    """Receipt lines of made-up people, and the panel they would be in."""
    rng, n = np.random.default_rng(3), 400
    columns = {name: pa.array(rng.integers(0, 5_000, n)) for name in feature.reads}
    sids = [f"{i:032x}" for i in rng.integers(0, 20, n)]
    days, baskets = pa.array(rng.integers(0, 100, n)), pa.array(rng.integers(1, 150, n))
    lines = pa.table(
        {"sid": pa.array(sids), **columns, "day": days, **({"basket_id": baskets} if "basket_id" in columns else {})}
    )
    who = sorted(set(sids))
    cutoffs = (50, 100)
    return lines, pa.table({"sid": [s for s in who for _ in cutoffs], "cutoff": [c for _ in who for c in cutoffs]})


def _head(_module: ModuleType, idea: Idea, _here: Here) -> Checks:
    head = own_head(f"own_{idea.name}")
    yield "it foretells what the twin does", ""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(600, 20))
    rate = np.exp(0.6 * x[:, 0] - 0.3)
    baskets = rng.poisson(rate).astype(float)
    targets = {"activity": (baskets > 0).astype(float), "baskets": baskets, "spend": baskets * 20}
    for quantity in head.foretells:
        fitted = head.make(quantity).fit(x, targets[quantity])
        kept = store(fitted)
        yield f"{quantity}: what it learned is kept as numbers", ""
        text = to_json(kept.model_dump(mode="json"))
        again = StoredEstimator.model_validate_json(text).answer(x)
        yield (
            f"{quantity}: the numbers say what the estimator says",
            _unless(
                bool(np.allclose(again, answered(fitted, x, quantity), rtol=1e-6, atol=1e-6)), "they say something else"
            ),
        )
        twice = to_json(store(head.make(quantity).fit(x, targets[quantity])).model_dump(mode="json"))
        yield f"{quantity}: the same rows give the same numbers", _unless(twice == text, "set random_state")
        yield (
            f"{quantity}: it keeps far less than its rows",
            _unless(len(text) <= LARGEST_HEAD, f"{len(text):,} characters"),
        )


def _unless(holds: bool, why: str) -> str:
    return "" if holds else why


CHECKS: dict[str, Callable[[ModuleType, Idea, Here], Checks]] = {
    "gates": _gate,
    "documents": _document,
    "sources": _source,
    "features": _feature,
    "heads": _head,
}


def notebook(text: str, name: str) -> Checks:
    """The checks of a notebook: it is run by its stage, so only its text is looked at here."""
    tags = [json.loads(t) for t in re.findall(r"^# %% .*tags=(\[.*\])", text, re.MULTILINE)]
    yield "it has one cell of parameters", _unless(tags.count(["parameters"]) == 1, 'tag one cell ["parameters"]')
    yield (
        "it says what it found by the public function",
        _unless(f'.measured("{name}"' in text, f'no cell calls home.measured("{name}", ...)'),
    )
