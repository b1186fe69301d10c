"""Measure contact pressure, and whether the campaign that the twin would propose falls on groups easily exploited."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.consent import ages
from twinops.data.consent.ages import FullAge
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import Purpose
from twinops.entities.findings import Findings
from twinops.errors import ParamsError
from twinops.evaluation.canvas import save
from twinops.evaluation.fairness.decision import Candidates, RankedHouseholds
from twinops.evaluation.influence import measures as measure
from twinops.evaluation.influence.findings import MeasuredInfluence, Pressure, influence_findings, influence_sentence
from twinops.evaluation.influence.picture import influence_picture
from twinops.evaluation.statistics import wilson
from twinops.governance.gates import influence as gate
from twinops.governance.law.contact_limits import Contact, ContactLimits, refusals
from twinops.params import FairnessParams
from twinops.ports import KeyStore
from twinops.twin.state.features import STATE
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.receipts import births
from twinops.workflows.replayed_decision import replayed

CAMPAIGN = "campaign"


@dataclass(frozen=True)
class Influenced:
    """What may be shown: measures with their intervals, and the conclusion in words."""

    findings: Findings
    found: str


@dataclass(frozen=True)
class Guarded:
    """What the guard is asked about each household: contacts in the window before the day, and signs it shows.

    `known`: of each declared sign, whether the data can show it at all.
    """

    had: np.ndarray
    signs: tuple[frozenset[str], ...]
    known: dict[str, bool]


def influence(
    places: Places, *, keys: KeyStore, replay: FairnessParams, full_age: FullAge, words: DeclaredWords = UNDECLARED
) -> Influenced:
    """Write `reports/measures/influence.json` and a picture.

    Raises:
        ParamsError: the policy declares no limits of influence, or does not judge them.
    """
    rules, limits = _declared(places)
    tables = SealedTables(places.raw_batches, keys)
    predictions = tables.table(places.predictions, dataset="predictions")
    people = replayed(places, Candidates.on(predictions, cutoff=replay.cutoff), tables)
    sent = measure.contacts(tables.source("campaigns", otherwise=NO_CAMPAIGNS), people.sids, until=replay.cutoff)
    blend = tables.table(places.blend) if places.blend.is_file() else None
    guarded = DecisionDay(people, replay.cutoff, births(places, keys), blend, full_age).guarded(sent, rules)
    against = np.array([_reasons(rules, guarded, i) != () for i in range(len(people))], dtype=bool)
    chosen = measure.proposed(people, ~against)
    demographics = tables.source("demographics")
    past_days = int(replay.cutoff - sent.day.min()) if len(sent.day) else 0
    contacted = sent.within(replay.cutoff - past_days, replay.cutoff)
    candidates = measure.Candidates(chosen, contacted, people.priority)
    groups = {
        # only who allows assessment is joined to demographics
        name: measure.members(demographics, people.sids, definition).only(people.assessable)
        for name, definition in limits.groups.items()
    }
    choices = {g: measure.choice(candidates, who, draws=replay.draws, seed=replay.seed) for g, who in groups.items()}
    pressure = _pressure(Proposed(people, sent, guarded, against, chosen), rules, replay)
    nobody = frozenset(name for name, who in groups.items() if who.empty)
    found = MeasuredInfluence(
        replay.cutoff, past_days, pressure, guarded.known, limits.groups, choices, replay.seed, nobody
    )
    findings = influence_findings(found)
    places.keep("influence", findings, words.wording)
    save(influence_picture(found, most=limits.ratio_at_most), places.figure("influence"), words.wording)
    return Influenced(findings, influence_sentence(found))


def _declared(places: Places) -> tuple[ContactLimits, gate.Limits]:
    """The limits of contact, and the groups that the gate names."""
    rules = policy_of(places)
    limits = next((g.checked_limits() for g in rules.gates if g.gate == "influence"), None)
    if rules.influence is None or limits is None:
        raise ParamsError(
            "compliance/policy.yaml declares no limits of influence, or no gate that judges them.",
            hint="Declare the section `influence` and list the gate; who is easily exploited is the officer's to say.",
        )
    return rules.influence, limits


NO_CAMPAIGNS = pa.table({"sid": pa.array([], pa.string()), "start_day": pa.array([], pa.int64())})
"""What stands where no campaign was collected."""


@dataclass(frozen=True)
class DecisionDay:
    """The judged households, the day they are judged on, and what tells of signs they may show on it."""

    people: RankedHouseholds
    day: int
    births: pa.Table
    blend: pa.Table | None
    full_age: FullAge

    def guarded(self, sent: measure.PastContacts, rules: ContactLimits) -> Guarded:
        """Signs are only ever read to leave somebody alone."""
        showing = {"under_age": self.under_age(), "open_complaint": self.open_cases()}
        signs = tuple(frozenset(s for s in rules.vulnerable if showing[s][i]) for i in range(len(self.people)))
        entered = self.blend is not None and (pc.max(self.blend["care_cases"]).as_py() or 0) > 0
        known = {"under_age": self.births.num_rows > 0, "open_complaint": entered}
        had = sent.within(self.day - rules.window_days, self.day)
        return Guarded(had, signs, {s: known[s] for s in rules.vulnerable})

    def under_age(self) -> np.ndarray:
        """Who is under age on the day."""
        days = pa.array([self.day] * len(self.people), pa.int64())
        asked = pa.table({"sid": pa.array(self.people.sids, pa.string()), "day": days})
        return ~self._among(ages.since_full_age(asked, self.births, self.full_age))

    def open_cases(self) -> np.ndarray:
        """Who has an open complaint on the day."""
        if self.blend is None:
            return np.zeros(len(self.people), dtype=bool)
        now = pc.and_(pc.equal(self.blend["cutoff"], self.day), pc.greater(self.blend["care_open_cases"], 0))
        return self._among(self.blend.filter(now))

    def _among(self, rows: pa.Table) -> np.ndarray:
        return np.isin(self.people.sids, np.array(rows["sid"].to_pylist(), dtype=str))


@dataclass(frozen=True)
class Proposed:
    """Whom the score and whom the guarded choice would reach, and what the guard says against whom."""

    people: RankedHouseholds
    sent: measure.PastContacts
    guarded: Guarded
    against: np.ndarray
    chosen: np.ndarray


def _reasons(rules: ContactLimits, guarded: Guarded, i: int) -> tuple[str, ...]:
    """What the guard says against contacting this household; the score's own columns are its keys."""
    contact = Contact(CAMPAIGN, Purpose.OFFERS.value, int(guarded.had[i]), guarded.signs[i], STATE)
    return refusals(rules, contact)


def _pressure(proposed: Proposed, rules: ContactLimits, replay: FairnessParams) -> Pressure:
    guarded, sent, offered = proposed.guarded, proposed.sent, proposed.people.offered
    draws = {"draws": replay.draws, "seed": replay.seed}
    over = sent.on_top(cap=rules.most_contacts, window_days=rules.window_days)
    refused = {"contact_pressure": int((guarded.had >= rules.most_contacts)[offered].sum())}
    for sign in rules.vulnerable:
        refused[sign] = sum(sign in guarded.signs[i] for i in np.flatnonzero(offered).tolist())
    before = Counter(str(min(n, rules.most_contacts)) for n in guarded.had.tolist())
    offers = int(offered.sum())
    return Pressure(
        rules.most_contacts,
        rules.window_days,
        len(proposed.people),
        {f"{n} or more" if n == str(rules.most_contacts) else n: before[n] for n in sorted(before)},
        measure.mean(guarded.had, **draws),
        measure.share(over, np.bincount(sent.household, minlength=len(proposed.people)), **draws),
        offers,
        refused,
        wilson.share(int(proposed.against[offered].sum()), offers) if offers else None,
        sum(_reasons(rules, guarded, i) != () for i in np.flatnonzero(proposed.chosen).tolist()),
    )
