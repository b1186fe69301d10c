"""Every source beside receipt lines and consent can be switched off: the run stands, and says what is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError
from workshop import Workshop

from twinops.params import SwitchesParams

PROFILES = ("demographics", "campaigns", "redemptions", "panelists")
OTHERS = ("registrations", "crm", "social_accounts", "choices", "social_posts", "social_comments", "care_cases")


@pytest.mark.pipeline
@pytest.mark.parametrize("off", [PROFILES, OTHERS], ids=["profiles_and_panel", "identities_and_texts"])
def test_the_run_stands_without_these_sources_and_says_what_is_lost(
    made: Workshop, off: tuple[str, ...], tmp_path: Path
) -> None:
    shutil.copytree(made.root, tmp_path / "project", symlinks=True)
    less = Workshop(tmp_path / "project")
    less.set(**{f"switches__{name}": False for name in off})
    less.do("twinops", "repro")
    for name in off:
        counts = json.loads((less.root / "data" / "counts" / name / "all.json").read_text(encoding="utf-8"))
        assert (counts["off"], counts["read"], counts["taken"]) == (True, 0, 0)
    facts = json.loads((less.root / "reports" / "evidence.json").read_text(encoding="utf-8"))["facts"]
    held = {f["name"]: f["value"] for f in (facts.values() if isinstance(facts, dict) else facts)}
    assert held["blend_sources_off"] == sorted(off)
    card = (less.root / "model_cards" / "twin" / "appendix.md").read_text(encoding="utf-8")
    assert f"Switched off: {', '.join(sorted(off))}" in card.replace("\\_", "_")
    lost = {
        PROFILES: ("Nothing was inferred", "No group was measured"),
        OTHERS: ("Nothing was linked", "Of these no consumer has one in the twin"),
    }
    for words in lost[off]:
        assert words in card
    assert less.do("twinops", "data", "map")


def test_every_shipped_source_but_receipt_lines_and_consent_has_a_switch() -> None:
    from twinops import plugins

    may_be_off = set(plugins.names("twinops.data.sources")) - {"transactions", "consent"}
    assert may_be_off == {*PROFILES, *OTHERS}
    off = SwitchesParams(dict.fromkeys(may_be_off, False))
    assert all(off.off(name) for name in may_be_off)
    for name in ("transactions", "consent", "nothing_known"):
        with pytest.raises(ValidationError, match=f"no switch {name}"):
            SwitchesParams({name: False})
