"""Verdicts as text: short enough for a registry, and harmless whatever a name holds."""

from __future__ import annotations

from dataclasses import replace

import governed
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markupsafe import Markup

from twinops.entities.verdict import failed
from twinops.governance.markdown import code, escape, plain, prose
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.verdicts import explain

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = (
    "<script>alert(1)</script> [x](javascript:alert(1)) ![i](http://evil.example/p.png) **b** `c` | # h "
    "<!-- \u202e [ev-000000000000] [ev-000000000000]"
)


def decided(evidence=None) -> Decision:
    return decide(governed.shipped_policy(), evidence or governed.empty())


def rendered(markdown: str) -> str:
    return READER.render(markdown)


def test_a_refusal_names_what_stands_in_the_way():
    tests = {**governed.EVEN, "income": governed.attribute(0.35, low=0.14, high=0.7)}
    decision = decided(governed.candidate(governed.fact("fairness_tests", tests)))
    assert explain.headline(decision) == "Refused by policy `2026-11-23`. In the way: `fairness`."


def test_nothing_in_the_way_still_leaves_the_decision_to_a_person():
    assert "a person still decides" in explain.headline(decided(governed.candidate()))


def test_every_gate_stands_in_every_form():
    decision = decided()
    for text in (explain.verdicts_text(decision), explain.verdicts_markdown(decision)):
        assert all(v.gate in text for v in decision.verdicts)


def test_what_does_not_pass_comes_first():
    text = explain.verdicts_markdown(decided(governed.candidate(governed.fact("rows_without_valid_basis", 2))))
    assert text.index("**failed** `consent`") < text.index("**passed**")


@pytest.mark.parametrize("gates", [1, 8, 200])
@pytest.mark.parametrize("length", [10, 2_000, 50_000])
def test_the_registry_gets_at_most_its_share_of_characters(gates, length):
    verdict = replace(failed("x" * length, "y" * length), gate="g" * 60)
    decision = replace(decided(), verdicts=(verdict,) * gates, blocking=("g" * 60,) * gates)
    text = explain.verdicts_markdown(decision, links={"model card": "https://here/" + "z" * 200})
    assert len(text) <= explain.MAX_CHARACTERS
    assert "failed" in text


def test_a_link_address_cannot_break_out():
    text = explain.verdicts_markdown(decided(), links={"ca](x)rd": "a)b (c"})
    assert "(a%29b%20%28c)" in text
    assert rendered(text).count("<a ") == 1


@pytest.mark.parametrize(
    "value", [HOSTILE, "1. list", "- list", "> quote", "# head", "a\n\n# head", "[ev-000000000000]: /x", "~~s~~", "_e_"]
)
def test_a_hostile_value_stays_text(value):
    html = (
        rendered(f"- value: {escape(value)} [ev-aaaaaaaaaaaa]")
        + rendered(f"{escape(value)}")
        + rendered(f"{prose(value)}")
    )
    for mark in ("<script", "<a ", "<img", "<strong", "<em", "<h1", "<ol", "<blockquote", "<s>", "<!--", "\u202e"):
        assert mark not in html, mark


def test_a_hostile_value_cannot_pass_for_a_citation():
    from twinops.governance.citations import CITATION

    assert not CITATION.search(escape(HOSTILE))
    assert not CITATION.search(prose(HOSTILE))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.text(alphabet=st.sampled_from(list("ab1 _*`[]()<>|#!~\\-+.&@:/\n\t")), max_size=20))
def test_whatever_a_value_holds_a_reader_of_markdown_sees_just_it(value):
    tokens = READER.parseInline(f"x {escape(value)} y")[0].children
    assert {t.type for t in tokens} <= {"text", "text_special"}
    assert " ".join("".join(t.content for t in tokens).split()) == " ".join(f"x {plain(value)} y".split())


@settings(derandomize=True, deadline=None, max_examples=120)
@given(st.text(alphabet=st.sampled_from(list("ab1 _*`[]()<>|#!~\\-+.&@:/\n\t")), max_size=20))
def test_a_table_keeps_its_columns_whatever_a_cell_holds(value):
    for shown in (escape(value), code(value or "x"), prose(value)):
        html = rendered(f"| a | b |\n|---|---|\n| {shown} | z |\n")
        assert html.count("<td") == 2


def test_code_in_our_sentences_stays_code():
    assert prose("run `make run` now") == Markup("run `make run` now")


def test_what_can_only_be_judged_later_is_not_called_in_the_way() -> None:
    early = governed.without(governed.without(governed.candidate(), "git_revision"), "judged_on")
    told = explain.headline_so_far(decided(early))
    assert told == (
        "Nothing judged so far stands in the way in policy `2026-11-23`. Judged only after this was written, so "
        "neither passed nor failed yet: `lineage`, `policy`."
    )
    assert not decided(early).promotable


def test_what_fails_stays_in_the_way_beside_what_is_judged_later() -> None:
    uneven = governed.fact("fairness_tests", {**governed.EVEN, "income": governed.attribute(0.2, low=0.1, high=0.7)})
    told = explain.headline_so_far(decided(governed.without(governed.candidate(uneven), "documents.present")))
    assert "In the way: `fairness`. Judged only after" in told
    assert told.endswith("yet: `documents`.")
