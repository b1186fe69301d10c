"""Reopen an approved impact assessment when what it was approved for has changed (GDPR art. 35(11)).

The triggers are those of `law/gdpr_dpia.yaml`; each compares the description that was approved with the current one
and says what differs.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from twinops.governance.reading import law

Description = Mapping[str, Any]
SCALE = 2
"""So many times the subjects are another scale (house rule)."""
MONTHS = 12
"""An approval is looked at again after so many months (house rule)."""


@dataclass(frozen=True)
class Reopened:
    """One trigger and what differs."""

    trigger: str
    differs: str

    def to_dict(self) -> dict[str, str]:
        """For a Fact."""
        return asdict(self)


def names() -> tuple[str, ...]:
    """The triggers the law file lists."""
    return tuple(t if isinstance(t, str) else next(iter(t)) for t in law("gdpr_dpia")["review_triggers"])


def triggers(approved: Description, current: Description) -> tuple[Reopened, ...]:
    """Every trigger that fires, in the order of the law file; none: the approval stands."""
    found = {name: tuple(check(approved, current)) for name, check in CHECKS.items()}
    return tuple(Reopened(name, differs) for name in names() for differs in found.get(name, ()))


def too_old(approved_on: date, today: date) -> tuple[Reopened, ...]:
    """The trigger that needs a clock.

    >>> too_old(date(2026, 1, 31), date(2027, 1, 31)), len(too_old(date(2026, 1, 31), date(2027, 2, 1)))
    ((), 1)
    """
    months = (today.year - approved_on.year) * 12 + today.month - approved_on.month
    old = (months, today.day) > (MONTHS, approved_on.day)
    return (
        (Reopened("age_over", f"approved on {approved_on}, more than {MONTHS} months before {today}"),) if old else ()
    )


def last_day(approved_on: date) -> date:
    """The last day on which an approval is not too old.

    >>> last_day(date(2024, 2, 29)), last_day(date(2026, 11, 24))
    (datetime.date(2025, 2, 28), datetime.date(2027, 11, 24))
    """
    year, month = divmod(approved_on.year * 12 + approved_on.month - 1 + MONTHS, 12)
    return date(year, month + 1, min(approved_on.day, calendar.monthrange(year, month + 1)[1]))


def _sources(was: Description, now: Description) -> Iterator[str]:
    yield from _members("source", was["sources"], now["sources"])
    for name, before, after in _both(was["sources"], now["sources"]):
        if before["collected_from"] != after["collected_from"] or before["controller"] != after["controller"]:
            yield f"source {name} comes from elsewhere: {after['collected_from']}, {after['controller']}"


def _columns(was: Description, now: Description) -> Iterator[str]:
    for name, before, after in _both(was["sources"], now["sources"]):
        yield from _members(f"column of {name}", before["columns"], after["columns"], removed=False)
        if before["personal_data"] != after["personal_data"]:
            yield f"category of {name}: {before['personal_data']} became {after['personal_data']}"


def _special(was: Description, now: Description) -> Iterator[str]:
    yield from _members("special category", was["special_categories"], now["special_categories"], removed=False)


def _purposes(was: Description, now: Description) -> Iterator[str]:
    yield from _members("purpose", was["purposes"], now["purposes"])
    for name, before, after in _both(was["purposes"], now["purposes"]):
        if before != after:
            yield f"purpose {name}: {_in_words(before)} became {_in_words(after)}"
    for name, before, after in _both(was["sources"], now["sources"]):
        if before["bases"] != after["bases"]:
            yield f"bases of {name}: {_in_words(before['bases'])} became {_in_words(after['bases'])}"
    if was["secondary_use"] != now["secondary_use"]:
        yield f"secondary use: {now['secondary_use']}"


def _recipients(was: Description, now: Description) -> Iterator[str]:
    yield from _members("recipient", was["recipients"], now["recipients"], removed=False)
    yield from _members("processor", was["processors"], now["processors"], removed=False)
    if was["transfers"] != now["transfers"]:
        yield f"transfers: {was['transfers']} became {now['transfers']}"


def _retention(was: Description, now: Description) -> Iterator[str]:
    for name, before, after in _both(was["sources"], now["sources"]):
        longer = after["retention_days"] is None or (
            before["retention_days"] is not None and after["retention_days"] > before["retention_days"]
        )
        if longer and before["retention_days"] != after["retention_days"]:
            yield f"{name} is kept {after['retention_days']} days instead of {before['retention_days']}"


def _decision(was: Description, now: Description) -> Iterator[str]:
    for part in sorted({*was["decision"], *now["decision"]}):
        before, after = was["decision"].get(part), now["decision"].get(part)
        if before != after:
            yield f"decision, {part.replace('_', ' ')}: {before} became {after}"


def _model(was: Description, now: Description) -> Iterator[str]:
    if was["model"] != now["model"]:
        yield f"model: {_in_words(was['model'])} became {_in_words(now['model'])}"


def _scale(was: Description, now: Description) -> Iterator[str]:
    before, after = was["subjects"], now["subjects"]
    if before is None or after is None:
        if before != after:
            yield f"subjects: {before} became {after}"
    elif after >= SCALE * before:
        yield f"{after:,} subjects instead of {before:,}"
    yield from _members("group", was["groups"], now["groups"], removed=False)


def _breaches(was: Description, now: Description) -> Iterator[str]:
    yield from (f"the gate {gate} fails now" for gate in now["failing"] if gate not in was["failing"])


def _incidents(was: Description, now: Description) -> Iterator[str]:
    yield from _members("incident", was["incidents"], now["incidents"], removed=False)
    if (now["erasure_failures"] or 0) > (was["erasure_failures"] or 0):
        yield f"{now['erasure_failures']} erasures failed"


def _policy(was: Description, now: Description) -> Iterator[str]:
    if was["policy_version"] != now["policy_version"]:
        yield f"policy {was['policy_version']} became {now['policy_version']}"


def _declared(was: Description, now: Description) -> Iterator[str]:
    """Everything that is declared, watched or not by name: old and new, leaf by leaf."""
    before, after = was.get("declared"), now.get("declared")
    if before is None or after is None:
        if before != after:
            yield "it was approved in a form that did not hold everything declared"
        return
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for path in sorted({*old, *new}):
        if old.get(path, NOTHING) != new.get(path, NOTHING):
            yield f"{path}: {_short(old.get(path, NOTHING))} became {_short(new.get(path, NOTHING))}"


NOTHING, LONGEST = "(nothing)", 160


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted path -> value; a list is one value, unless it lists tables."""
    if isinstance(value, Mapping) and (value or not path):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, f"{path}.{number}")
    else:
        yield path, value


def _short(value: Any) -> str:
    said = _in_words(value)
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"


CHECKS: dict[str, Callable[[Description, Description], Iterator[str]]] = {
    "new_or_removed_source": _sources,
    "new_column_or_category": _columns,
    "new_inferred_special_category": _special,
    "new_purpose_or_legal_basis": _purposes,
    "new_recipient_or_country": _recipients,
    "retention_increased": _retention,
    "decision_effect_or_automation_level_changed": _decision,
    "model_family_or_target_changed": _model,
    "population_or_scale_step": _scale,
    "fairness_or_drift_breach": _breaches,
    "incident_or_erasure_failure": _incidents,
    "policy_version_changed": _policy,
    "anything_declared_changed": _declared,
}
"""By the name of the trigger; `age_over` needs a day and is `too_old`."""


def _members(kind: str, was: Any, now: Any, *, removed: bool = True) -> Iterator[str]:
    yield from (f"new {kind}: {name}" for name in now if name not in was)
    if removed:
        yield from (f"{kind} that is gone: {name}" for name in was if name not in now)


def _both(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield from ((name, was[name], now[name]) for name in sorted(was) if name in now)


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_in_words(v)}" for k, v in sorted(value.items()))
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
