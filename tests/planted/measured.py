"""Faults in what was measured: in the evidence, a stage's findings, pictures; up to everything made to fit."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from planted.desk import Desk
from planted.trial import FORCED, PAPERS, Fault
from twinops.entities.canonical import digest
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.governance.policy.decide import decide
from twinops.whole_files import write
from twinops.workflows.pipeline.documents import build, documents
from twinops.workflows.policy_file import policy_of

EVIDENCE = "reports/evidence.json"
Raw = dict[str, Any]
MEASURE = {
    "a better value": lambda m: {**m, "value": m["value"] * 1.5 + 0.1, "high": None, "low": None},
    "no interval": lambda m: {**m, "low": None, "high": None},
    "a narrow interval": lambda m: {**m, "low": m["value"], "high": m["value"]},
    "a hundred times as many": lambda m: {**m, "n": m["n"] * 100},
    "another source": lambda m: {**m, "source": "a study"},
    "another method": lambda m: {**m, "method": "as usual"},
    "another unit": lambda m: {**m, "unit": "EUR"},
}
BROKEN = {
    "not a number": lambda m: {**m, "value": float("nan")},
    "endless": lambda m: {**m, "high": float("inf")},
    "a text": lambda m: {**m, "value": "good"},
    "bounds the wrong way": lambda m: {**m, "low": 2.0, "high": 1.0, "value": 1.5},
    "no value": lambda m: {k: v for k, v in m.items() if k != "value"},
}


def faults(desk: Desk, rng: random.Random) -> Iterator[Fault]:
    raw = json.loads(desk.text(EVIDENCE))
    numbers, names = range(len(raw["measures"])), [f["name"] for f in raw["facts"]]
    for at in rng.sample(numbers, min(40, len(numbers))):
        what, change = _lie(raw["measures"][at], rng)
        where = f"{EVIDENCE}: {raw['measures'][at]['name']}"
        edit = partial(_measure, at, change)
        yield Fault("evidence edited", where, what, partial(_edited, edit), PAPERS)
        yield Fault("evidence edited, digests made anew", where, what, partial(_redigested, edit), PAPERS)
        odd, broken = rng.choice(list(BROKEN.items()))
        yield Fault("evidence edited", where, odd, partial(_edited, partial(_measure, at, broken)), PAPERS)
    for at in rng.sample(numbers, min(20, len(numbers))):
        where = f"{EVIDENCE}: {raw['measures'][at]['name']}"
        yield Fault(
            "evidence taken away or given twice", where, "gone", partial(_edited, partial(_without, at)), PAPERS
        )
        yield Fault(
            "evidence taken away or given twice",
            where,
            "gone, digests made anew",
            partial(_redigested, partial(_without, at)),
            PAPERS,
        )
        yield Fault("evidence taken away or given twice", where, "twice", partial(_edited, partial(_twice, at)), PAPERS)
        yield Fault(
            "evidence taken away or given twice",
            where,
            "a key twice",
            partial(_key_twice, raw["measures"][at]["name"]),
            PAPERS,
        )
    for name in names:
        yield Fault(
            "a fact edited, digests made anew",
            f"{EVIDENCE}: {name}",
            "another value",
            partial(_redigested, partial(_fact, name)),
            PAPERS,
        )
    yield from _whole(desk)
    yield from _made_to_fit(desk, rng, raw)


def _lie(measure: Raw, rng: random.Random) -> tuple[str, Callable[[Raw], Raw]]:
    """One that says something else than the measure does."""
    return rng.choice([(what, change) for what, change in MEASURE.items() if change(measure) != measure])


def _measure(at: int, change: Callable[[Raw], Raw], raw: Raw) -> Raw:
    return {**raw, "measures": [change(m) if i == at else m for i, m in enumerate(raw["measures"])]}


def _without(at: int, raw: Raw) -> Raw:
    return {**raw, "measures": raw["measures"][:at] + raw["measures"][at + 1 :]}


def _twice(at: int, raw: Raw) -> Raw:
    return {**raw, "measures": [*raw["measures"], raw["measures"][at]]}


def _fact(name: str, raw: Raw) -> Raw:
    return {**raw, "facts": [{**f, "value": _other(f["value"])} if f["name"] == name else f for f in raw["facts"]]}


def _other(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _other(v) if i == 0 else v for i, (k, v) in enumerate(value.items())} or {"seen": True}
    if isinstance(value, list):
        return [_other(value[0]), *value[1:]] if value else ["seen"]
    return (
        not value
        if isinstance(value, bool)
        else value + 1
        if isinstance(value, (int, float))
        else f"{value or ''} seen"
    )


def _edited(change: Callable[[Raw], Raw], desk: Desk) -> None:
    desk.put(EVIDENCE, json.dumps(change(json.loads(desk.text(EVIDENCE))), indent=1, sort_keys=True))


def _key_twice(name: str, desk: Desk) -> None:
    desk.put(EVIDENCE, desk.text(EVIDENCE).replace(f'"name": "{name}"', f'"name": "other", "name": "{name}"', 1))


def _redigested(change: Callable[[Raw], Raw], desk: Desk) -> None:
    desk.put(EVIDENCE, _evidence(change(json.loads(desk.text(EVIDENCE)))).to_json())


def _evidence(raw: Raw) -> Evidence:
    """Ids and digest made anew, as who knows the format does."""
    body = {k: v for k, v in raw.items() if k != "digest"}
    body["measures"] = [Measure.from_dict({k: v for k, v in m.items() if k != "id"}).to_dict() for m in raw["measures"]]
    body["facts"] = [Fact.from_dict({k: v for k, v in f.items() if k != "id"}).to_dict() for f in raw["facts"]]
    return Evidence.from_json(json.dumps({**body, "digest": digest(body)}))


def _whole(desk: Desk) -> Iterator[Fault]:
    for what, text in (
        ("gone", None),
        ("empty", ""),
        ("no JSON", "{"),
        ("a list", "[]"),
        ("NaN", "NaN"),
        ("no text", b"\xff\xfe"),
    ):
        yield Fault("evidence edited", EVIDENCE, what, partial(_text, text), PAPERS)
    for part in ("schema", "model", "key", "as_of", "measures", "facts", "digest"):
        yield Fault(
            "evidence edited",
            EVIDENCE,
            f"without {part}",
            partial(_edited, lambda raw, p=part: {k: v for k, v in raw.items() if k != p}),
            PAPERS,
        )
        if part not in ("measures", "facts"):
            yield Fault(
                "evidence edited",
                EVIDENCE,
                f"another {part}",
                partial(_edited, lambda raw, p=part: {**raw, p: "0" * 64}),
                PAPERS,
            )
    yield Fault(
        "evidence edited, digests made anew",
        EVIDENCE,
        "another candidate's",
        partial(_redigested, lambda raw: {**raw, "key": "0" * 64}),
        PAPERS,
    )


def _text(text: str | bytes | None, desk: Desk) -> None:
    if text is None:
        (desk.root / EVIDENCE).unlink()
    else:
        desk.put(EVIDENCE, text)


def _made_to_fit(desk: Desk, rng: random.Random, raw: Raw) -> Iterator[Fault]:
    """The lie told everywhere: findings, evidence, documents, manifest, lock file and commit agree with one another."""
    stages = sorted(desk.places.all_measures)
    kind = "measures forged, everything made to fit and committed"
    for at in rng.sample(range(len(raw["measures"])), 30):
        what, change = _lie(raw["measures"][at], rng)
        yield Fault(
            kind,
            f"{EVIDENCE}: {raw['measures'][at]['name']}",
            what,
            partial(_fitting, partial(_measure, at, change)),
            FORCED,
        )
    for path in stages:
        found = json.loads(path.read_text(encoding="utf-8"))
        for name in rng.sample(sorted(found["measures"]), min(2, len(found["measures"]))):
            what, change = _lie(found["measures"][name], rng)
            yield Fault(
                kind,
                f"{path.name}: {name}",
                what,
                partial(_finding, path.relative_to(desk.root).as_posix(), name, change),
                FORCED,
            )
    for path in rng.sample(sorted((desk.root / "reports" / "figures").glob("*.png")), 8):
        where = path.relative_to(desk.root).as_posix()
        yield Fault("a picture replaced, everything made to fit and committed", where, "another picture",
                    partial(_picture, where), FORCED)  # fmt: skip


def _fitting(change: Callable[[Raw], Raw], desk: Desk) -> None:
    evidence = _evidence(change(json.loads(desk.text(EVIDENCE))))
    desk.put(EVIDENCE, evidence.to_json())
    pictures = {n: p.read_bytes() for n in evidence.captions if (p := desk.places.figure(n)).is_file()}
    for name, text in build(evidence, decide(policy_of(desk.places), evidence), pictures).items():
        write(desk.places.card(evidence.model, name), text)


def _finding(where: str, name: str, change: Callable[[Raw], Raw], desk: Desk) -> None:
    raw = json.loads(desk.text(where))
    measure = change({k: v for k, v in raw["measures"][name].items() if k != "id"})
    raw["measures"][name] = Measure.from_dict(measure).to_dict()
    desk.put(where, json.dumps(raw, indent=1, sort_keys=True) + "\n")
    documents(desk.candidate, desk.lineage)


def _picture(where: str, desk: Desk) -> None:
    other = next(p for p in sorted((desk.root / "reports" / "figures").glob("*.png")) if p != desk.root / where)
    contents = ((desk.root / where).read_bytes(), other.read_bytes())
    told = [hashlib.md5(content, usedforsecurity=False) for content in contents]
    desk.put(where, other.read_bytes())
    documents(desk.candidate, desk.lineage)
    desk.put("dvc.lock", desk.text("dvc.lock").replace(*(md5.hexdigest() for md5 in told)))
