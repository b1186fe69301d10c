"""The policy file: what it may say, and how it is refused when it says something else."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta

import governed
import pytest

from twinops import plugins
from twinops.errors import ParamsError
from twinops.governance.policy import limits as policy
from twinops.governance.reading import MAX_BYTES

GATE = "  - {id: drift, gate: drift, limits: {at_most: 0.2}}\n"
HEAD = "version: v1\nvalid_from: 2026-11-23\ngates:\n"
OTHERS = "".join(
    f"  - {json.dumps({'id': g.id, 'gate': g.gate, 'limits': g.limits}).replace(chr(34), '')}\n"
    for g in governed.shipped_policy().gates
    if g.gate != "drift"
)
"""Every other gate of this house, by its shipped limits."""


def refusal(text: str) -> str:
    with pytest.raises(ParamsError) as caught:
        policy.read(text)
    return str(caught.value)


def test_the_shipped_policy_lists_every_gate_of_this_house():
    gates = {gate.gate for gate in governed.shipped_policy().gates}
    assert gates == set(plugins.names(policy.SHELF))


def test_every_shipped_gate_blocks():
    assert all(gate.blocks for gate in governed.shipped_policy().gates)


@pytest.mark.parametrize("empty", ["", "{}", "null", HEAD.replace("gates:\n", "gates: []")])
def test_an_empty_policy_is_invalid_and_not_permissive(empty):
    refusal(empty)


def test_a_policy_that_only_advises_is_invalid():
    advisory = GATE.replace("gate: drift,", "gate: drift, severity: advisory,")
    assert "let everything pass" in refusal(HEAD + advisory)


def test_an_unknown_gate_is_named_together_with_the_known_ones():
    told = refusal(HEAD + "  - {id: x, gate: fairnes}\n")
    assert "'fairnes'" in told
    assert "fairness" in told


def test_all_mistakes_are_told_at_once():
    drift = "  - {id: drift, gate: drift, limits: {at_most: 2, at_least: 1}}\n"
    wrong = "  - {id: x, gate: fairnes}\n" + drift + "  - {id: x, gate: dpia, color: red}\n"
    told = refusal("version: v1\nvalid_from: soon\nsurprise: 1\ngates:\n" + wrong)
    for part in (
        "fairnes",
        "limits.at_most",
        "limits.at_least",
        "'x' is given twice",
        "color",
        "surprise",
        "valid_from",
    ):
        assert part in told, part


def test_a_missing_limit_is_a_mistake():
    assert "at_most" in refusal(HEAD + "  - {id: drift, gate: drift}\n")


@pytest.mark.parametrize("number", [".nan", ".inf", "'0.2'", "true", "-0.1", "1.0"])
def test_a_limit_that_is_no_share_is_refused(number):
    assert "at_most" in refusal(HEAD + GATE.replace("0.2", number))


def test_a_gate_outside_the_shelf_cannot_be_named():
    refusal(HEAD + "  - {id: x, gate: ../../os}\n")
    refusal(HEAD + "  - {id: x, gate: os.path}\n")


def test_aliases_and_keys_given_twice_are_refused():
    assert "aliases" in refusal("version: &v v1\nvalid_from: 2026-11-23\nnote: *v\ngates:\n" + GATE)
    assert "stands twice" in refusal(HEAD + GATE + "gates: []\n")


@pytest.mark.parametrize(
    "text",
    [
        "[" * MAX_BYTES,
        "- " * 100_000,
        "a: " + "x" * 300_000,
        "a: !!python/object/apply:os.system [ls]",
        "when: 2026-02-30",
        "{[a]: 1}",
        "n: " + "9" * 10_000,
        "\x00",
        "a: b: c",
    ],
)
def test_hostile_yaml_is_one_clear_error_at_once(text):
    began = time.process_time()
    assert "compliance/policy.yaml" in refusal(text)
    assert time.process_time() - began < 2, "the time to read brackets grows with their square, if nobody stops"


def test_the_digest_follows_what_is_said_and_not_how_it_is_laid_out():
    one, two = (
        policy.read(HEAD + GATE + OTHERS),
        policy.read(HEAD + "  # why\n  - id: drift\n    gate: drift\n    limits:\n      at_most: 0.2\n" + OTHERS),
    )
    assert one.digest == two.digest
    assert one.digest != policy.read(HEAD + GATE.replace("0.2", "0.3") + OTHERS).digest


def test_a_policy_is_in_force_from_its_first_to_its_last_day():
    rules = governed.shipped_policy()
    assert rules.valid_until is not None
    assert not rules.valid_on(rules.valid_from - timedelta(days=1))
    assert rules.valid_on(rules.valid_from)
    assert rules.valid_on(rules.valid_until)
    assert not rules.valid_on(rules.valid_until + timedelta(days=1))
    assert policy.read(HEAD + GATE + OTHERS).valid_on(date(2999, 1, 1))


def test_a_forgotten_gate_is_a_mistake_and_may_be_left_out_with_a_reason():
    without = OTHERS.replace(next(x for x in OTHERS.splitlines(keepends=True) if "gate: linkage" in x), "")
    assert "linkage is not judged" in refusal(HEAD + GATE + without)
    assert policy.read(HEAD + GATE + without + "not_judged: {linkage: one source alone is used here}\n")


@pytest.mark.parametrize("name", policy.ALWAYS)
def test_what_the_law_asks_cannot_be_left_out_or_only_advise(name):
    line = next(x for x in OTHERS.splitlines(keepends=True) if f"gate: {name}" in x)
    assert f"{name} is always judged" in refusal(
        HEAD + GATE + OTHERS.replace(line, "") + f"not_judged: {{{name}: why}}\n"
    )
    softer = line.replace(f"gate: {name},", f"gate: {name}, severity: advisory,")
    assert f"{name} always blocks" in refusal(HEAD + GATE + OTHERS.replace(line, softer))


@pytest.mark.parametrize("more", ["not_judged: {weather: w}\n", "not_judged: {drift: w}\n", "not_judged: {drift: ''}\n",
                                  "override: {by: [data protection officer]}\n", "override: {by: [boss]}\n",
                                  "override: {never: [fairnes]}\n", "override: {at_most_days: 365}\n",
                                  "resolve: {at_most_days: 0}\n", "resolve: {}\nresolv: {}\n"])  # fmt: skip
def test_what_cannot_be_said_of_leaving_out_and_overriding_is_a_mistake(more):
    refusal(HEAD + GATE + OTHERS + more)


@pytest.mark.parametrize("who", ["data protection officer", "risk oficer", "trainer"])
def test_only_known_offices_may_resolve_and_never_the_one_that_advises(who):
    assert "may_resolve" in refusal(HEAD + GATE.replace("}}", f"}}, may_resolve: [{who}]}}") + OTHERS)


def test_the_shipped_policy_lets_nobody_override_what_the_law_asks():
    assert set(policy.ALWAYS) <= set(governed.shipped_policy().override.never)
