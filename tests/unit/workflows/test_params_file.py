"""Sections of `params.yaml` are written anew, and everything else stays where it stands."""

from __future__ import annotations

import pytest
from candidate import ROOT

from twinops.workflows.params_file import with_sections

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
REMARK = "# gates, documents, sources, features, heads and notebook stages of your own: docs/ideas.md"
NEXT = "\n\nconsent:"


@pytest.mark.parametrize("more", [[], ["features/c.py"]], ids=["one", "two"])
def test_a_list_that_was_empty_is_filled_below_its_remark_and_the_gap_stays_behind_it(more: list[str]) -> None:
    once = with_sections(TEXT, {"ideas": ["gates/a.py"]})
    told = with_sections(once, {"ideas": ["gates/a.py", *more]})
    lines = "".join(f"\n  - {item}" for item in ["gates/a.py", *more])
    assert f"{REMARK}{lines}{NEXT}" in told


def test_a_list_is_emptied_again() -> None:
    filled = with_sections(TEXT, {"ideas": ["gates/a.py", "gates/b.py"]})
    assert f"ideas: []           {REMARK}\n" in with_sections(filled, {"ideas": []})
