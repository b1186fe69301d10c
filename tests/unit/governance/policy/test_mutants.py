"""Break the policy and the evidence in more than five hundred ways: none of them lets a candidate through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import governed
import yaml
from governed import attribute, candidate, fact, measure, without

from twinops import plugins
from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.errors import ParamsError
from twinops.governance.gates._shelf import SHELF
from twinops.governance.policy import limits as policy
from twinops.governance.policy.decide import decide
from twinops.governance.policy.limits import Policy

TEXT = governed.text("policy.yaml")
PLAIN = yaml.safe_load(TEXT.replace('"', "'"))
POLICY = governed.shipped_policy()
WRONG_VALUES = (None, "", [], {}, -1, 10**9, "yes", True, [None], {"": ""})

REFUSED: dict[str, Evidence] = {
    "accuracy_activity": candidate(measures=(measure("active_auc.gain_over_rfm", -0.1, -0.2, -0.05),)),
    "accuracy_spend": candidate(measures=(measure("spend_mae.gain_over_rfm", -3.0, -4.0, -2.0),)),
    "fairness": candidate(fact("fairness_tests", {**governed.EVEN, "income": attribute(0.2, low=0.1, high=0.7)})),
    "drift": candidate(measures=(measure("drift_share", 0.9, 0.8, 0.99),)),
    "early_warning": candidate(measures=(measure("early_baskets_ratio", 0.85, 0.81, 0.89),)),
    "influence": candidate(measures=(measure("influence_ratio.low_income", 1.6, 1.3, 1.9),)),
    "linkage": candidate(measures=(measure("linkage_precision", 0.5, 0.4, 0.6),)),
    "consent": candidate(fact("rows_without_valid_basis", 1)),
    "lineage": candidate(fact("git_dirty", True)),
    "dpia": candidate(*(f for f in governed.declared() if f.name.startswith("dpia."))),
    "use": candidate(fact("ai_act_classification", {"class": "prohibited"})),
    "documents": candidate(fact("documents.problems", ["README.md was changed after it was built"])),
    "policy": candidate(fact("judged_on", "2026-11-22")),
}
REFUSED |= {
    g.id: without(candidate(), plugins.load(SHELF, g.gate).needs(g.checked_limits())[0])
    for g in POLICY.gates
    if g.id not in REFUSED
}
"""A candidate that is in order but for one gate: whatever loosens that gate would let it through."""


def test_the_bases_are_right() -> None:
    assert decide(POLICY, candidate()).promotable
    assert set(REFUSED) == {*(g.id for g in POLICY.gates), "policy"}
    for gate, evidence in REFUSED.items():
        assert decide(POLICY, evidence).blocking == (gate,)


# ---- mutants of the policy


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a nested value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*at, key)
        yield from places(item, (*at, key))


def changed(value: Any, at: tuple[Any, ...], how: Callable[[Any, Any], None]) -> Any:
    made = json.loads(json.dumps(value, default=str))
    home = made
    for step in at[:-1]:
        home = home[step]
    how(home, at[-1])
    return made


def policy_mutants() -> Iterator[tuple[str, Any]]:
    """Texts, or what YAML would make of them."""
    for at in places(PLAIN):
        yield f"delete {at}", dumped(changed(PLAIN, at, lambda home, key: home.pop(key)))
        if isinstance(at[-1], str):
            yield (
                f"misspell {at}",
                dumped(changed(PLAIN, at, lambda home, key: renamed(home, key, f"{key}s"))),
            )
            yield (
                f"capital {at}",
                dumped(changed(PLAIN, at, lambda home, key: renamed(home, key, key.title()))),
            )
        for wrong in ("", None, "x", []):
            yield f"{wrong!r} at {at}", dumped(changed(PLAIN, at, lambda home, key, w=wrong: home.__setitem__(key, w)))
    lines = TEXT.splitlines(keepends=True)
    for end in range(len(lines)):
        if lines[end].lstrip().startswith("#"):
            continue
        yield f"cut after line {end}", "".join(lines[:end])
        yield f"without line {end}", "".join(lines[:end] + lines[end + 1 :])
    for gate in POLICY.gates:
        yield f"advise only {gate.id}", TEXT.replace(f"id: {gate.id}\n", f"id: {gate.id}\n    severity: advisory\n")
    for whole in ("", "{}", "null", "[]", "gates: []\n", "version: x\n", "\x00", "---\n---\n", "gates: {}\n"):
        yield f"whole file {whole!r}", whole


def renamed(home: dict[str, Any], key: str, other: str) -> None:
    home[other] = home.pop(key)


def dumped(value: Any) -> Any:
    """As it is parsed: days are days, lists are tuples."""
    if isinstance(value, dict):
        return {k: _day(v) if k in ("valid_from", "valid_until") else dumped(v) for k, v in value.items()}
    return tuple(map(dumped, value)) if isinstance(value, list) else value


def _day(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) and value.startswith("20") else value


def read(text: Any) -> Policy | None:
    try:
        return policy.read(text) if isinstance(text, str) else policy.made(text, name="policy")
    except ParamsError:
        return None


MAY_ADVISE = {g.id for g in POLICY.gates if g.gate not in policy.ALWAYS}
"""The officer may say that these only advise; the mutation says so on purpose, and only of its own gate."""


def test_no_mutant_of_the_policy_promotes() -> None:
    made = dict(policy_mutants())
    errors, asked = 0, 0
    judged: dict[tuple[str, str], bool] = {}  # many mutants say the same
    assert policy.made(dumped(json.loads(json.dumps(PLAIN, default=str))), name="policy") == POLICY
    for name, text in made.items():
        rules = read(text)
        if rules is None:
            errors += 1
            continue
        if rules == POLICY:
            continue  # it says the same, and the same is refused
        for gate, evidence in REFUSED.items():
            asked += 1
            if name == f"advise only {gate}":
                assert gate in MAY_ADVISE, name
                continue
            if name.startswith(("delete ('valid_until'", "None at ('valid_until'")) or _drops_end(name):
                continue  # a policy without an end is allowed: it says so in its verdict
            if (same := (repr(rules), gate)) not in judged:
                judged[same] = decide(rules, evidence).promotable
            assert not judged[same], f"{name} lets through what {gate} refuses"
    assert len(made) >= 1000, len(made)
    assert errors >= 800, errors
    assert asked >= 100
    # every gate is broken in several ways, so that a new one cannot come without
    tried = [sum(f"('gates', {number}" in name for name in made) for number in range(len(POLICY.gates))]
    assert min(tried) >= 15, dict(zip((g.id for g in POLICY.gates), tried, strict=True))


def _drops_end(name: str) -> bool:
    number = name.removeprefix("without line ")
    return number.isdigit() and "valid_until" in TEXT.splitlines()[int(number)]


# ---- mutants of the evidence


@cache
def whole() -> dict[str, Any]:
    return json.loads(candidate().to_json())


def needed() -> list[str]:
    """What the gates say they need, and the day."""
    names = [n for g in POLICY.gates for n in plugins.load(SHELF, g.gate).needs(g.checked_limits())]
    return [*dict.fromkeys(names), "judged_on"]


def evidence_mutants() -> Iterator[tuple[str, Evidence]]:
    """As if somebody had mended ids and digest, so that only the gates stand in the way."""
    for name in needed():
        yield f"without {name}", without(candidate(), name)
        found = candidate().fact(name) or candidate().measure(name)
        assert found is not None, name
        yield f"misspelt {name}", put(replace(found, name=f"{name}s"), name)
        if isinstance(found, Measure):
            if found.low is not None:
                yield f"{name} without its interval", put(replace(found, low=None, high=None), name)
            continue
        for wrong in WRONG_VALUES:
            if not harmless(name, wrong):
                yield f"{name} = {wrong!r}", put(replace(found, value=wrong), name)


def put(item: Measure | Fact, instead: str) -> Evidence:
    base = without(candidate(), instead)
    return base.joined(measures=[item]) if isinstance(item, Measure) else base.joined(facts=[item])


def file_mutants() -> Iterator[tuple[str, str]]:
    """Files as somebody might leave them."""
    text = to_json(whole(), indent=1)
    for place in range(0, len(text) - 2, max(1, len(text) // 60)):
        yield f"cut at {place}", text[:place]
        yield f"byte {place}", text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
    for key in whole():
        yield f"no {key}", to_json({k: v for k, v in whole().items() if k != key})


def harmless(name: str, wrong: Any) -> bool:
    """Values that say just what was so, or with which a gate has nothing to refuse."""
    any_text = ["yes", True, -1, 10**9, {"": ""}, [None], [], {}, ""]
    empty = {
        "documents.problems": [[]],
        "lock_matches": [True],
        "consumer_law_duties": [[]],
        "excluded": [{}, {"": ""}],
    }
    same = {**empty, "git_revision": any_text}
    said = name.startswith("dpia.declared.") and wrong == "yes"
    listed = name in ("dpia.declared.incidents",) and wrong == []
    return said or listed or any(wrong == v and type(wrong) is type(v) for v in same.get(name, ()))


def outcome(text: str) -> bool:
    """Would it be promoted, although it says something else? A misspelt `id` beside the same content says the same."""
    try:
        evidence = Evidence.from_json(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return evidence != candidate() and decide(POLICY, evidence).promotable


def test_no_mutant_of_the_evidence_promotes() -> None:
    assert decide(POLICY, Evidence.from_json(to_json(whole()))).promotable
    made, files = dict(evidence_mutants()), dict(file_mutants())
    assert [name for name, evidence in made.items() if decide(POLICY, evidence).promotable] == []
    assert [name for name, text in files.items() if outcome(text)] == []
    assert len(made) + len(files) >= 500, len(made) + len(files)
    assert all(any(name in mutant for mutant in made) for name in needed())


def test_removing_any_one_piece_of_evidence_turns_its_gate_to_missing() -> None:
    for gate in POLICY.gates:
        for name in plugins.load(SHELF, gate.gate).needs(gate.checked_limits()):
            decision = decide(POLICY, without(candidate(), name))
            assert {v.gate: v.outcome.value for v in decision.verdicts}[gate.id] == "missing", name
            assert not decision.promotable
    assert decide(POLICY, without(candidate(), "judged_on")).verdicts[-1].outcome.value == "missing"


def test_an_empty_policy_or_evidence_promotes_nothing() -> None:
    assert read("") is None
    assert not decide(POLICY, governed.empty()).promotable
