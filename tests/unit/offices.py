"""A project's human part for tests: people with real ssh keys, who answer, advise, decide and sign."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import governed
from governed import MEASURES, declared

from twinops.adapters.ssh_keygen import SshKeygen
from twinops.entities.findings import Findings
from twinops.governance.assessment import questions as dpia
from twinops.governance.people.offices import office_asked
from twinops.params import DocumentsParams
from twinops.workflows.dpia.answer import answer as dpia_answer
from twinops.workflows.dpia.sign import sign as dpia_sign
from twinops.workflows.dpia.status import DpiaStatus
from twinops.workflows.dpia.status import status as dpia_status
from twinops.workflows.evidence import CandidateFolder, source_facts
from twinops.workflows.places import Places

NAMED = DocumentsParams(model="twin")
AS_OF = date(2018, 1, 1)
TODAY = date(2026, 11, 25)
DATED = "2026-11-24"
PEOPLE = {
    "data owner": ("Olga Owner", "olga@shop.example"),
    "risk officer": ("Rita Risk", "rita@shop.example"),
    "data protection officer": ("Dora Dpo", "dora@shop.example"),
}
LEVELS = ("severity", "likelihood", "residual_severity", "residual_likelihood")


def keys_of(folder: Path) -> dict[str, Path]:
    """One key per office."""
    made = {}
    for role in PEOPLE:
        made[role] = folder / role.replace(" ", "_")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(made[role])], check=True)
    return made


def offices_text(keys: dict[str, Path]) -> str:
    """The offices file of these people, with the keys there are."""
    people = ""
    for office, (name, email) in PEOPLE.items():
        key = f", key: {keys[office].with_suffix('.pub').read_text().strip()}" if office in keys else ""
        people += f"  - {{name: {name}, emails: [{email}], office: {office}{key}}}\n"
    return f'version: "1"\ngate_runners: [ci]\npeople:\n{people}'


@dataclass
class Office:
    """One project folder and the people who answer in it."""

    root: Path
    keys: dict[str, Path]
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        self.places = Places(self.root)
        self.places.compliance.mkdir(parents=True)
        for name in ("policy.yaml", "intended_use.yaml", "dpia.yaml", "retention.yaml"):
            self.write(name, governed.text(name))
        self.measured()
        self.write("offices.yaml", offices_text(self.keys))

    @property
    def folder(self) -> CandidateFolder:
        """What the workflows of documents are about."""
        return CandidateFolder(self.places, NAMED, AS_OF)

    def write(self, name: str, text: str) -> None:
        path = self.places.compliance / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def text(self, name: str) -> str:
        return (self.places.compliance / name).read_text(encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        assert old in self.text(name), old
        self.write(name, self.text(name).replace(old, new, 1))

    def measured(self, *extra: Any, subjects: int = 2469) -> None:
        """What the stages found."""
        path = self.places.measures("accuracy")
        path.parent.mkdir(parents=True, exist_ok=True)
        told = {f.name for f in (*declared(), *source_facts())}
        later = ("judged_on", "git_", "lock_", "documents.")
        kept = {
            f.name: f
            for f in governed.FACTS
            if f.name not in told and not f.name.startswith(("source.", "wording", *later))
        }
        panel = governed.fact("population.panel", {"households_in_sources": subjects, "rows": 42243})
        facts = {**kept, panel.name: panel, **{f.name: f for f in extra}}
        path.write_text(Findings(MEASURES, tuple(facts.values())).to_json())

    def model(self, **changes: Any) -> None:
        told = {
            "schema": "twinops.twin/1",
            "speakers": {"activity": ["regression"], "baskets": ["regression"], "spend": ["regression"]},
            "intercepts": {"activity": 1, "spend": 1},
            "terms": [{"name": "pace"}],
        }
        self.places.model.parent.mkdir(exist_ok=True)
        self.places.model.write_text(json.dumps({**told, "horizon_days": 28, **changes}))

    def answer(self, name: str, *, by: str | None = None, **parts: str) -> Any:
        role = office_asked(getattr(dpia.read(self.text("dpia.yaml")).human, name).who)
        full = parts or {p: _said(name, p) for p in dpia.parts(name)}
        who = by or PEOPLE[role][0]
        return dpia_answer(self.folder, field=name, answer=full, by=who, dated=DATED)

    def sign(self, role: str, *fields: str) -> Any:
        return dpia_sign(self.places, SshKeygen(), email=PEOPLE[role][1], key=self.keys[role], fields=fields)

    def prepare(self) -> None:
        """Everything before advice and decision, signed."""
        for name in dpia.HUMAN:
            if name not in ("authority_consultation", "dpo_advice", "decision"):
                self.answer(name)
        self.sign("data owner")

    def approve(self) -> None:
        """All of it."""
        self.prepare()
        self.answer("dpo_advice")
        self.sign("data protection officer", "dpo_advice")
        self.answer("decision")
        self.sign("risk officer", "decision")

    def status(self, today: date = TODAY) -> DpiaStatus:
        return dpia_status(self.folder, today)

    def review(self, today: date = TODAY) -> tuple[str, list[str]]:
        """State, and every trigger with what differs or reason."""
        found = self.status(today).review
        return found["state"], [*(f"{t['trigger']}: {t['differs']}" for t in found["triggers"]), *found["reasons"]]


def _said(name: str, part: str) -> str:
    if part in LEVELS:
        return "2"
    if part == "stance":
        return "favourable"
    return "approve" if (name, part) == ("decision", "answer") else said_of(name, part)


def said_of(name: str, part: str) -> str:
    """A sentence unlike any other, so that none is a copy."""
    return f"What was said of {name.replace('_', ' ')}, {part}: {name[::-1].replace('_', '')} and {part[::-1]} alone."
