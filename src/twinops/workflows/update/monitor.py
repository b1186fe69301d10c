"""Refresh the states, score what was foretold last time, foretell anew, and say which limits broke."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.canonical import rounded
from twinops.entities.consent import Purpose
from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.verdict import Outcome
from twinops.entities.wording import MANY
from twinops.errors import TwinopsError
from twinops.evaluation.fairness.decision import Candidates
from twinops.evaluation.fairness.groups import assessed, group_labels
from twinops.evaluation.fairness.measures import assess
from twinops.evaluation.monitoring.foretold import Foretold, foretold_measures, foretold_of_groups
from twinops.evaluation.statistics import bootstrap
from twinops.governance.gates import coverage, drift, early_warning
from twinops.params import DocumentsParams, EvaluateParams, FeaturesParams
from twinops.twin.model.intervals import Seen as SeenOutcomes
from twinops.twin.model.intervals import recalibrated
from twinops.twin.model.model import TwinModel
from twinops.workflows.declared_use import attributes_of
from twinops.workflows.declared_words import DeclaredWords
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.receipts import Receipts
from twinops.workflows.replayed_decision import assessed_groups, assessed_of, replayed
from twinops.workflows.twin.open import shipped_model
from twinops.workflows.update import ledger
from twinops.workflows.update.answered import Answered, answered
from twinops.workflows.update.forecasts import Allowed, Forecasts
from twinops.workflows.update.ledger import Entry, Updates
from twinops.workflows.update.look import Seen, known
from twinops.workflows.update.report import write_report
from twinops.workflows.update.states import StateStore

GATES = {"drift": drift, "early_warning": early_warning}
"""Judged on the new window by the policy's own limits."""


@dataclass(frozen=True)
class Desk:
    """What an update works with."""

    receipts: Receipts
    grid: FeaturesParams
    held_out: EvaluateParams
    named: DocumentsParams
    words: DeclaredWords

    @property
    def places(self) -> Places:
        """Where everything lies."""
        return self.receipts.plane.places

    @property
    def tables(self) -> SealedTables:
        """Every sealed table."""
        return self.receipts.plane.tables

    @property
    def store(self) -> StateStore:
        """States at rest."""
        return StateStore(self.receipts, self.grid.decay_days)

    @property
    def forecasts(self) -> Forecasts:
        """Sealed forecasts."""
        return Forecasts(self.receipts, self.grid)


@dataclass(frozen=True)
class Monitored:
    """What an update found, as the ledger has it, and whether the same was found before."""

    entry: Entry
    again: bool


def monitor(seen: Seen, *, desk: Desk) -> Monitored:
    """Write states, forecasts, the ledger and the report. The same data give the same bytes, however often it is run.

    Raises:
        DataError: nothing was trained yet, or a sealed file is not there.
        IntegrityError: a state is not what its receipts make of it.
    """
    places, updates = desk.places, ledger.read(desk.places)
    model, day = shipped_model(places), desk.receipts.known_until
    about = {"day": day, "digests": seen.digests or known(places), "model": _model_digest(places)}
    store, forecasts = desk.store, desk.forecasts
    allowed = forecasts.allowed(store.subjects())
    about["allowed"] = sha256("".join(sorted(allowed[Purpose.SCORING])).encode()).hexdigest()
    before = next((e for e in updates.entries if e["id"] == ledger.id_of(about)), None)
    # what was said of an update that is finished now stays as it was said when it began
    arrivals = before["arrivals"] if before and not seen.arrivals else [a.to_dict() for a in seen.arrivals]
    states, refreshed = store.refresh(allowed[Purpose.SCORING])
    scored = [_scored(desk, d, allowed) for d in _due(forecasts, updates.without(ledger.id_of(about)), day)]
    latest = next((s for s in reversed(scored) if s is not None), None)
    ranges = model.calibrated
    if latest is not None and len(latest.seen) >= SMALLEST:
        window = SeenOutcomes(latest.seen.predictions, latest.seen.baskets, latest.seen.spend)
        ranges = recalibrated(ranges, model.scatter, window, day=latest.seen.day)
    foretold_for = forecasts.seal(states, day, model, ranges, allowed)
    entry: Entry = {
        "id": ledger.id_of(about),
        "as_of": desk.receipts.as_of.isoformat(),
        "known_until": desk.receipts.days.date_of(day).isoformat(),
        "model": _model_name(desk, model),
        "arrivals": arrivals,
        "states": {"subjects": refreshed.subjects, "proved": refreshed.proved},
        "foretold": foretold_for,
        "ranges": {q: [rounded(w) for w in getattr(ranges, q).tiers] for q in ("baskets", "spend")},
        "scored": [s.told for s in scored if s is not None],
        "judged": (judged := [*_by_policy(desk), *_by_outcome(desk, latest)]),
        "broken": _new_breaks(updates, judged, ledger.id_of(about)),
    }
    if served := [
        _of_version(desk, a, allowed) for a in answered(forecasts, allowed[Purpose.SCORING], known_until=day)
    ]:
        entry["answered"] = served
    entry = desk.words.told(entry)
    same = before == entry
    grown = updates if same else updates.with_one(entry)
    if not same:
        ledger.keep(places, grown)
    write_report(places, grown, desk.words.wording, latest.groups if latest else {})
    forecasts.keep_to(allowed[Purpose.SCORING])
    forecasts.drop_old(day)
    return Monitored(entry, same)


Groups = dict[str, dict[str, tuple[Measure, ...]]]
SMALLEST = 50
"""Consumers a window must have before ranges are made wider or narrower by it."""


@dataclass(frozen=True)
class _Score:
    seen: Foretold
    groups: Mapping[str, Mapping[str, tuple[Measure, ...]]]
    told: dict[str, Any]


def _due(forecasts: Forecasts, updates: Updates, day: int) -> list[int]:
    """Forecasts that are over and were not scored, and always the newest: a late batch may have changed it."""
    over = forecasts.over(day)
    done = {s["sealed_on"] for e in updates.entries for s in e["scored"]}
    days = forecasts.receipts.days
    return [d for d in over if days.date_of(d).isoformat() not in done or d == over[-1]]


def _scored(desk: Desk, day: int, allowed: Allowed) -> _Score | None:
    """Measures of one forecast that is over, overall and by group, and how evenly the decision would have reached."""
    seen = desk.forecasts.came(day, allowed)
    if seen is None:
        return None
    measures, groups = _measured(desk, seen, allowed)
    reached = tuple(_reach(desk, seen)) if desk.tables.collected("demographics") else ()
    # told before they are named by what they say: an id is of the words that people read
    measures, reached, groups = desk.words.told((measures, reached, groups))
    told = {
        "sealed_on": desk.receipts.days.date_of(day).isoformat(),
        "n": len(seen),
        "measures": [m.to_dict() for m in (*measures, *reached)],
        "groups": _plain(groups),
    }
    return _Score(seen, groups, told)


def _measured(desk: Desk, seen: Foretold, allowed: Allowed) -> tuple[tuple[Measure, ...], Groups]:
    """What was foretold over what came: of all, and in each group of those who allow the assessment of bias."""
    how = {"draws": desk.held_out.draws, "seed": desk.held_out.seed}
    sids = [str(s) for s in seen.table["sid"].to_pylist()]
    may = np.array([sid in allowed[Purpose.BIAS_ASSESSMENT] for sid in sids], dtype=bool)
    measures, groups = foretold_measures(seen, **how), Groups()
    if desk.tables.collected("demographics"):
        demographics = desk.tables.of([s for s, m in zip(sids, may, strict=True) if m]).source("demographics")
        labels = group_labels(sids, may, demographics, assessed(demographics, attributes_of(desk.places)))
        groups = foretold_of_groups(seen, labels, **how)
    return measures, groups


def _of_version(desk: Desk, one: Answered, allowed: Allowed) -> dict[str, Any]:
    """What one version answered, against what came."""
    measures, groups = desk.words.told(_measured(desk, one.seen, allowed))
    told = {"version": one.version, "digest": one.digest, "n": len(one.seen)}
    return {**told, "measures": [m.to_dict() for m in measures], "groups": _plain(groups)}


def _plain(groups: Groups) -> dict[str, Any]:
    return {a: {g: [m.to_dict() for m in ms] for g, ms in of.items()} for a, of in groups.items()}


def _reach(desk: Desk, seen: Foretold) -> Iterator[Measure]:
    """How evenly the judged decision would have reached the groups that the policy names: the worst of them."""
    came = seen.table.append_column("spend_cents", [np.rint(seen.spend * 100).astype(np.int64)])
    people = replayed(desk.places, Candidates.on(came, cutoff=seen.day), desk.tables)
    if not people.assessable.any():
        return
    demographics = desk.tables.source("demographics")
    rule = assessed_of(desk.places, demographics)
    among = people.only(people.assessable)
    draws = bootstrap.counts(len(among), draws=desk.held_out.draws, seed=desk.held_out.seed)
    found = assess(among, assessed_groups(people, demographics, rule), rule, draws=draws)
    judged = [c for c in found if c.decides and c.groups]
    if judged:
        worst = min(judged, key=lambda c: c.reach.ratio.value)
        source = f"forecast sealed on day {seen.day}, {MANY} that allow offers and the assessment of bias"
        how = f"lower over higher selection rate of the worst judged group ({worst.attribute}), as the gate has it"
        yield worst.reach.ratio.measure("foretold_fairness_ratio", worst.n, source, how, seed=desk.held_out.seed)


def _by_policy(desk: Desk) -> Iterator[dict[str, Any]]:
    """What the policy's gates say of drift and first days on the new window."""
    try:
        findings = desk.words.told(desk.places.kept("drift"))
    except TwinopsError:
        return
    evidence = Evidence(desk.named.model, "update", desk.receipts.as_of, findings.measures, findings.facts)
    for entry in policy_of(desk.places).gates:
        if entry.gate in GATES:
            verdict = GATES[entry.gate].check(evidence, entry.checked_limits())
            yield {"name": entry.id, "answer": verdict.outcome.value, "sentence": verdict.sentence}


def _by_outcome(desk: Desk, latest: _Score | None) -> Iterator[dict[str, Any]]:
    """What came against what was foretold, by the limits that the policy has for the same questions."""
    found = {m["name"]: Measure.from_dict(m) for m in latest.told["measures"]} if latest else {}
    limits = {g.gate: g.checked_limits() for g in policy_of(desk.places).gates}
    ratios = [found[n] for n in ("foretold_active_ratio", "foretold_baskets_ratio") if n in found]
    if ratios and "early_warning" in limits:
        answer = early_warning.answer(ratios, ratios, limits["early_warning"])
        told = "; ".join(f"{m.name.split('_')[1]} {m}" for m in ratios)
        yield _judged("foretold", answer, f"What came over what was foretold: {told}.")
    for quantity in ("baskets", "spend"):
        held = found.get(f"foretold_coverage_80.{quantity}")
        if held is not None and "coverage" in limits:
            yield _judged(
                f"ranges_{quantity}",
                _within(held, limits["coverage"]),
                f"Of outcomes in {quantity}, {held} lay in their 80 % range.",
            )


def _within(held: Measure, limits: coverage.Limits) -> Outcome:
    """A range that holds too few breaks its promise now; one that holds too many is the next candidate's to mend."""
    if held.high is not None and held.high < limits.at_least:
        return Outcome.FAILED
    return Outcome.PASSED if limits.at_least <= held.value <= limits.at_most else Outcome.INCONCLUSIVE


def _judged(name: str, answer: Outcome, sentence: str) -> dict[str, Any]:
    return {"name": name, "answer": answer.value, "sentence": sentence}


def _new_breaks(updates: Updates, judged: list[dict[str, Any]], this: str) -> list[str]:
    """Limits that broke now and had not broken at the update before: for those a review is asked for."""
    earlier = [e for e in updates.entries if e["id"] != this]
    known_breaks = {j["name"] for j in earlier[-1]["judged"] if j["answer"] == Outcome.FAILED} if earlier else set()
    return [j["name"] for j in judged if j["answer"] == Outcome.FAILED and j["name"] not in known_breaks]


def _model_digest(places: Places) -> str:
    return sha256(places.model.read_bytes()).hexdigest()


def _model_name(desk: Desk, model: TwinModel) -> dict[str, Any]:
    digest = _model_digest(desk.places)
    return {"name": desk.named.model, "sha256": digest, "trained_until_day": model.trained_on.last_cutoff}
