"""Measure contact pressure, and whether the campaign that the twin would propose falls on groups easily exploited."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import ages
from twinops.data.seal import read_sealed
from twinops.entities.consent import Purpose
from twinops.entities.findings import Findings
from twinops.errors import ParamsError
from twinops.evaluation import influence as measure
from twinops.evaluation import wilson
from twinops.evaluation.decision import Judged, judged
from twinops.evaluation.influence_findings import Influence, Pressure, influence_findings, influence_sentence
from twinops.governance.gates import influence as gate
from twinops.governance.influence import Contact, ContactLimits, refusals
from twinops.params import AgesParams, FairnessParams
from twinops.pictures.canvas import save
from twinops.pictures.influence import influence_picture
from twinops.ports import KeyStore
from twinops.twin.examples import with_text_sid
from twinops.twin.features import STATE
from twinops.workflows.features import births
from twinops.workflows.places import Places
from twinops.workflows.rules import rules_of

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


def influence(places: Places, *, keys: KeyStore, replay: FairnessParams, rule: AgesParams) -> Influenced:
    """Write `reports/measures/influence.json` and a picture.

    Raises:
        ParamsError: the policy declares no limits of influence, or does not judge them.
    """
    rules, limits = _declared(places)
    predictions = read_sealed(places.predictions, dataset="predictions", keys=keys)
    people = judged(predictions, cutoff=replay.cutoff, share=replay.offer_share)
    sent = measure.contacts(_sent(places, keys), people.sids, until=replay.cutoff)
    guarded = _guarded(people, sent, rules, (places, keys, replay.cutoff, rule))
    against = np.array([_reasons(rules, guarded, i) != () for i in range(len(people))], dtype=bool)
    chosen = measure.proposed(people, ~against)
    demographics = read_sealed(places.raw("demographics", "all"), dataset="demographics", keys=keys)
    past_days = int(replay.cutoff - sent.day.min()) if len(sent.day) else 0
    found = Influence(
        replay.cutoff,
        past_days,
        _pressure(people, sent, rules, (guarded, against, chosen, replay)),
        guarded.known,
        limits.groups,
        {
            name: measure.choice(
                chosen,
                sent.within(replay.cutoff - past_days, replay.cutoff),
                people.expected_spend,
                _assessable(people, measure.members(demographics, people.sids, definition)),
                draws=replay.draws,
                seed=replay.seed,
            )
            for name, definition in limits.groups.items()
        },
        replay.seed,
    )
    findings = influence_findings(found)
    places.measures("influence").parent.mkdir(parents=True, exist_ok=True)
    places.measures("influence").write_text(findings.to_json(), encoding="utf-8")
    save(influence_picture(found, most=limits.ratio_at_most), places.figure("influence"))
    return Influenced(findings, influence_sentence(found))


def _declared(places: Places) -> tuple[ContactLimits, gate.Limits]:
    """The limits of contact, and the groups that the gate names."""
    rules = rules_of(places)
    limits = next((g.checked_limits() for g in rules.gates if g.gate == "influence"), None)
    if rules.influence is None or limits is None:
        raise ParamsError(
            "compliance/policy.yaml declares no limits of influence, or no gate that judges them.",
            hint="Declare the section `influence` and list the gate; who is easily exploited is the officer's to say.",
        )
    return rules.influence, limits


def _sent(places: Places, keys: KeyStore) -> pa.Table:
    batches = places.raw_batches("campaigns")
    if not batches:
        return pa.table({"sid": pa.array([], pa.string()), "start_day": pa.array([], pa.int64())})
    return with_text_sid(read_sealed(batches, dataset="campaigns", keys=keys)).select(["sid", "start_day"])


def _guarded(
    people: Judged, sent: measure.Contacts, rules: ContactLimits, at: tuple[Places, KeyStore, int, AgesParams]
) -> Guarded:
    """Signs are only ever read to leave somebody alone."""
    places, keys, day, rule = at
    minors, born = _minors(people, places, keys, (day, rule))
    open_case, cases = _open_cases(people, places, keys, day)
    showing = {"under_age": minors, "open_complaint": open_case}
    signs = tuple(frozenset(s for s in rules.vulnerable if showing[s][i]) for i in range(len(people)))
    known = {"under_age": born, "open_complaint": cases}
    return Guarded(sent.within(day - rules.window_days, day), signs, {s: known[s] for s in rules.vulnerable})


def _minors(people: Judged, places: Places, keys: KeyStore, on: tuple[int, AgesParams]) -> tuple[np.ndarray, bool]:
    """Who is under age on the day, and whether any birthday is known."""
    born = births(places, keys)
    asked = pa.table({"sid": pa.array(people.sids, pa.string()), "day": pa.array([on[0]] * len(people), pa.int64())})
    adult = ages.since_full_age(asked, born, on[1])["sid"]
    return ~np.isin(people.sids, np.array(adult.to_pylist(), dtype=str)), born.num_rows > 0


def _open_cases(people: Judged, places: Places, keys: KeyStore, day: int) -> tuple[np.ndarray, bool]:
    """Who has an open complaint on the day, and whether any service case has entered the blend at all."""
    if not places.blend.is_file():
        return np.zeros(len(people), dtype=bool), False
    rows = with_text_sid(read_sealed(places.blend, dataset=places.blend.stem, keys=keys))
    open_now = rows.filter(pc.and_(pc.equal(rows["cutoff"], day), pc.greater(rows["care_open_cases"], 0)))["sid"]
    entered = (pc.max(rows["care_cases"]).as_py() or 0) > 0
    return np.isin(people.sids, np.array(open_now.to_pylist(), dtype=str)), entered


def _reasons(rules: ContactLimits, guarded: Guarded, i: int) -> tuple[str, ...]:
    """What the guard says against contacting this household; the score's own columns are its keys."""
    contact = Contact(CAMPAIGN, Purpose.OFFERS.value, int(guarded.had[i]), guarded.signs[i], STATE)
    return refusals(rules, contact)


def _pressure(
    people: Judged,
    sent: measure.Contacts,
    rules: ContactLimits,
    asked: tuple[Guarded, np.ndarray, np.ndarray, FairnessParams],
) -> Pressure:
    guarded, against, chosen, replay = asked
    draws = {"draws": replay.draws, "seed": replay.seed}
    over = sent.on_top(cap=rules.most_contacts, window_days=rules.window_days)
    by_score = people.offered
    refused = {"contact_pressure": int((guarded.had >= rules.most_contacts)[by_score].sum())}
    for sign in rules.vulnerable:
        refused[sign] = sum(sign in guarded.signs[i] for i in np.flatnonzero(by_score).tolist())
    before = Counter(str(min(n, rules.most_contacts)) for n in guarded.had.tolist())
    offers = int(by_score.sum())
    return Pressure(
        rules.most_contacts,
        rules.window_days,
        len(people),
        {f"{n} or more" if n == str(rules.most_contacts) else n: before[n] for n in sorted(before)},
        measure.mean(guarded.had, **draws),
        measure.share(over, np.bincount(sent.household, minlength=len(people)), **draws),
        offers,
        refused,
        wilson.share(int(against[by_score].sum()), offers),
        sum(_reasons(rules, guarded, i) != () for i in np.flatnonzero(chosen).tolist()),
    )


def _assessable(people: Judged, group: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Only who allows assessment is joined to demographics."""
    inside, known = group
    return inside & people.assessable, known & people.assessable
