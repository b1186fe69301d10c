"""The demonstration can be promoted by honest steps: a play with invented people, in a project of its own.

Nobody here is real, and what they say (`played_assessment.yaml`) is said for the play. The shipped decision stays
refused; a mitigated one, declared by one edit, passes what is measured, and people do what only people can: answer,
advise, decide, and justify the use.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from workshop import ROOT, Workshop, make_workshop

from planted import kit, table
from planted.desk import Desk
from planted.trial import FOUND, OPEN
from twinops.governance.assessment import questions as dpia
from twinops.governance.people.offices import DATA_OWNER, DPO, RISK_OFFICER, office_asked

pytestmark = pytest.mark.pipeline
SAMPLED = 50
"""Of so many faults one is tried; all of them by `make planted`."""
PLAYED = {
    DATA_OWNER: ("Olga Owner", "olga@play.example"),
    RISK_OFFICER: ("Rita Risk", "rita@play.example"),
    DPO: ("Dora Dpo", "dora@play.example"),
}
MITIGATED = {
    "name: offer to the top fifth by predicted spend": "name: offer to half, by predicted spend and activity",
    "  share: 0.2": "  share: 0.5",
    "{kind: none}": "{kind: rank_blend, strength: 0.5, toward: active_probability}",
}
SAID = yaml.safe_load((ROOT / "setup" / "played_assessment.yaml").read_text(encoding="utf-8"))


@dataclass
class Play:
    """A project, its people's keys, and every step that somebody took."""

    shop: Workshop
    keys: dict[str, Path]
    steps: list[str] = field(default_factory=list)

    def step(self, what: str, *command: str) -> str:
        """One thing that somebody does at a keyboard."""
        self.steps.append(what)
        return self.shop.do("twinops", *command)

    def commit(self, message: str) -> None:
        self.steps.append(f"commit: {message}")
        self.shop.commit(message)

    def run(self) -> None:
        """What `make run` does."""
        self.step("make run", "repro", "--lanes", "2")

    def status(self) -> dict[str, Any]:
        said = subprocess.run(
            ["twinops", "status", "--json"], cwd=self.shop.root, env=self.shop.environment, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        return json.loads(said.stdout)

    def signing(self, office: str) -> tuple[str, ...]:
        return ("--as", PLAYED[office][1], "--key", str(self.keys[office]))


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """The shipped data; what was made already is taken from the cache, if this folder has one."""
    folder = tmp_path_factory.mktemp("promotable")
    shop = make_workshop(folder / "project", {})
    if (ROOT / ".dvc" / "cache").is_dir():
        shutil.copytree(ROOT / ".dvc" / "cache", shop.root / ".dvc" / "cache")
    shutil.copy2(ROOT / "dvc.lock", shop.root / "dvc.lock")
    keys = {}
    for office in PLAYED:
        keys[office] = folder / office.replace(" ", "-")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(keys[office])], check=True)
    return Play(shop, keys)


def test_the_shipped_decision_stays_refused_and_a_mitigated_one_is_promotable_by_honest_steps(promotable: Play) -> None:
    sys.stderr.write(f"\npromotable in {len(promotable.steps)} steps:\n" + "\n".join(promotable.steps) + "\n")
    assert len(promotable.steps) <= 40, "an afternoon's work"


def test_no_planted_fault_ends_in_promotable(promotable: Play, tmp_path: Path) -> None:
    """A sample of what `make planted` tries, which writes docs/planted.md."""
    whole = "TWINOPS_PLANTED" in os.environ
    desks = [Desk.copied(promotable.shop.root, promotable.keys, into=tmp_path / str(n) / "project") for n in range(2)]
    faults = kit.every(desks[0])
    found = kit.run(desks, faults if whole else faults[::SAMPLED])
    if whole:
        table.kept(found)
    assert [f"{f.fault.kind}: {f.fault.where}: {f.fault.what}" for f in found if f.word == OPEN] == []
    assert len(faults) > 2_000
    assert {f.word for f in found} >= {FOUND}


@pytest.fixture(scope="module")
def promotable(play: Play) -> Play:
    """The play to its end; each step is looked at."""
    shop, today = play.shop, datetime.now(UTC).date().isoformat()
    for office, (name, email) in PLAYED.items():
        key = str(play.keys[office].with_suffix(".pub"))
        play.step(f"{name} takes office", "officers", "add", name, "--email", email, "--office", office, "--key", key)
    play.commit("offices are held")
    play.run()
    play.commit("the shipped decision, as measured")
    shipped = play.status()
    told = {g["id"]: g["outcome"] for g in shipped["gates"]}
    assert shipped["decision"] == "refused"
    assert told["fairness"] in ("failed", "inconclusive"), "an offer to a fifth is not shown to reach groups evenly"

    declared = shop.root / "compliance" / "intended_use.yaml"
    text = declared.read_text(encoding="utf-8")
    for old, new in MITIGATED.items():
        assert old in text
        text = text.replace(old, new, 1)
    declared.write_text(text, encoding="utf-8")
    play.steps.append("the data owner declares another decision: one edit")
    play.commit("another decision is declared")
    play.run()
    play.commit("the mitigated decision, as measured")
    told = {g["id"]: (g["outcome"], g["sentence"]) for g in play.status()["gates"]}
    assert told["fairness"][0] == "passed", told["fairness"][1]
    assert told["influence"][0] == "passed", told["influence"][1]
    # four held-out months cannot tell these beyond the luck of months: a person answers for them, in writing
    unsure = {g for g in SAID["unsure"] if told[g][0] == "inconclusive"}
    assert {g for g, (outcome, _) in told.items() if outcome != "passed"} == {"use", "dpia", "holdout", *unsure}
    assert told["holdout"][0] == "missing"
    looks_once(play)

    asked = dpia.read((shop.root / "compliance" / "dpia.yaml").read_text(encoding="utf-8")).human.asked()
    last = {"dpo_advice": DPO, "decision": RISK_OFFICER}
    for question in (q for q in asked if q not in last):
        answers(play, question, office_asked(asked[question].who), today)
    play.step("Olga Owner signs her answers", "dpia", "sign", *play.signing(DATA_OWNER))
    for question, office in last.items():
        answers(play, question, office, today)
        play.step(f"{PLAYED[office][0]} signs {question}", "dpia", "sign", question, *play.signing(office))
    for gate, reason in {"use": SAID["use"], **{g: SAID["unsure"][g] for g in sorted(unsure)}}.items():
        ruling = ("gates", "resolve", gate, *play.signing(RISK_OFFICER), "--reason", reason.strip(), "--days", "30")
        play.step(f"the risk officer answers for {gate} in writing", *ruling)
    play.commit("answers, advice, decision and justification")
    play.run()
    play.commit("the documents with what people said")

    ended = play.status()
    left = [f"{g['id']}: {g['outcome']}: {g['sentence']}" for g in ended["gates"] if g["outcome"] != "passed"]
    assert ended["decision"] == "promotable", left
    resolved = {row.split(":")[0] for row in left}
    assert resolved == {"use", *unsure}, "resolved by a person, never passed by itself"
    return play


def looks_once(play: Play) -> None:
    """The scientist chooses nothing any more, and the households that stood apart are opened."""
    why = "The play's release is decided on it; nothing is chosen any more."
    play.step(
        "nothing is chosen any more: the hold-out is opened", "holdout", "open", "--by", "scientist", "--why", why
    )
    play.run()
    play.commit("the hold-out, as measured once")
    told = {g["id"]: (g["outcome"], g["sentence"]) for g in play.status()["gates"]}
    assert told["holdout"][0] == "passed", told["holdout"][1]
    assert "on these days 1, on any days 1" in told["holdout"][1]


def answers(play: Play, question: str, office: str, today: str) -> None:
    """The person asked says something in substance to every part."""
    said = {**SAID["levels"], **SAID[question]}
    told = [x for part in dpia.parts(question) for x in ("--set", f"{part}={said[part]}")]
    name = PLAYED[office][0]
    play.step(f"{name} answers {question}", "dpia", "answer", question, "--by", name, "--dated", today, *told)
