"""Refuse a twin whose choice presses on households, or falls more often on those who are easily exploited.

Who is easily exploited is declared in the limits. None of these attributes is a feature, and none may select anybody;
what is judged is whether the choice falls on them more often all the same, through something that stands in for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.verdict import Outcome, Verdict, about, failed, inconclusive, missing, not_applicable, passed
from twinops.entities.wording import MANY, ONE
from twinops.governance.gates._absent import (
    OFFERS,
    PROFILES,
    absent,
    declaring,
    held,
    in_words,
    not_held,
    undeclared,
    unserved,
)
from twinops.governance.reading import Record, Text

RULE = "AI Act art. 5(1)(a)-(b) (Reg. (EU) 2024/1689), guidelines C(2025) 5052; Dir. 2005/29/EC arts. 5(3), 8-9"
QUESTION = "Does the proposed campaign keep to the limits of contact, and spare groups that are easily exploited?"
GROUPS, KEPT, RATIO = "influence_groups", "influence_against_guard", "influence_ratio"
CONTROL = "influence_control"
PICTURES = ("influence",)
WATCHED = ("influence_",)
RISKS = ("risk_manipulation",)
NAME_OTHERS = "A risk officer names groups by what is held (`groups` in compliance/policy.yaml), or decides in writing."
SPEAKS_TO = {"dpia.risk_design": WATCHED}
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Levels = Annotated[tuple[Text, ...], Field(min_length=1)]


class Limits(Record):
    """`ratio_at_most`: how many times as often as the rest a group may be chosen. `groups`: levels by attribute."""

    ratio_at_most: Annotated[float, Field(ge=1, le=2)]
    groups: Annotated[dict[Name, Annotated[dict[Text, Levels], Field(min_length=1)]], Field(min_length=1)]


def needs(limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (GROUPS, KEPT, *(f"{RATIO}.{group}" for group in limits.groups))


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """No offer against the guard; then every group by the end of its interval that hurts."""
    ratios = {group: evidence.measure(f"{RATIO}.{group}") for group in limits.groups}
    known = {g: m for g, m in ratios.items() if m is not None and m.low is not None and m.high is not None}
    unknown = sorted(set(ratios) - set(known))
    lacking, kept = _lacking(evidence, unknown, limits), evidence.measure(KEPT)
    nobody = _nobody(evidence, [g for g in unknown if g not in lacking])
    against = _not_judged(evidence, [g for g in unknown if g not in (*lacking, *nobody)], limits)
    if against is not None or kept is None:
        return against or missing(f"Not measured: {KEPT}.", "Run `dvc repro influence`.")
    if kept.value > 0:
        return failed(
            f"{kept.value:g} of {kept.n:,} proposed offers go against the limits of contact or to whom they protect.",
            "See the section `influence` of compliance/policy.yaml, and reports/measures/influence.json.",
            **about(kept, limit=0),
        )
    if known:
        judged = _by_group(evidence, known, kept, limits)
    elif lacking:
        return _nobody_told_apart(evidence, lacking, kept, limits)
    else:
        judged = not_applicable(f"{_within(kept)} None of the groups has a member.", **about(kept))
    if nobody:
        judged = replace(judged, sentence=f"{judged.sentence} {_empty(nobody, limits)}")
    return _with_lacking(judged, evidence, lacking, limits)


def _not_judged(evidence: Evidence, unknown: list[str], limits: Limits) -> Verdict | None:
    """Why there is nothing to judge; None: there is."""
    measured, kept = evidence.fact(GROUPS), evidence.measure(KEPT)
    if kept is not None and not kept.n:
        return _no_offer(evidence, limits)
    absent_names = [GROUPS] * (measured is None) + [KEPT] * (kept is None) + unknown
    if absent_names:
        why = _why(evidence)
        named = [f"{_spoken(n)} ({why[n]})" if n in why else _spoken(n) for n in absent_names]
        return missing(
            " ".join([f"Not measured: {', '.join(named)}.", *unserved(evidence)]),
            _remedy(evidence, measured is None or kept is None),
            limit=limits.ratio_at_most,
        )
    if measured is not None and _plain(measured.value) != _plain(limits.groups):
        return missing(
            "The groups that were measured are not those that the policy names.",
            "Run `dvc repro influence` with this policy.",
            limit=limits.ratio_at_most,
        )
    return None


def _remedy(evidence: Evidence, never: bool) -> str:
    """What was never measured is run; what was, and reached nobody, needs a declaration or other groups."""
    if never:
        return "Run `dvc repro influence`."
    return declaring(evidence) or (
        f"A group needs ten {MANY} with profiles who may be assessed, and as many beside it: more of them, or a risk "
        "officer names other `groups` of this gate in compliance/policy.yaml."
    )


def _no_offer(evidence: Evidence, limits: Limits) -> Verdict:
    """No campaign could be made: because offers are no declared purpose, or because nobody allows them."""
    why = undeclared(evidence, OFFERS)
    if why is not None:
        return not_applicable(f"There is no campaign to judge. {unserved(evidence)[0]}", **about(why))
    return missing(
        "There is no offer that the campaign would make, so nothing can be said of whom it falls on.",
        declaring(evidence) or f"Some {MANY} must allow offers: their opt-ins say so.",
        limit=limits.ratio_at_most,
    )


def _with_lacking(told: Verdict, evidence: Evidence, lacking: Sequence[str], limits: Limits) -> Verdict:
    """A group that nobody can see leaves a doubt that a person settles; a gap that was shown fails all the same."""
    if not lacking:
        return told
    said = f"{told.sentence} {not_held(_attributes(lacking, limits), evidence)}"
    if told.outcome is Outcome.PASSED:
        return replace(told, outcome=Outcome.INCONCLUSIVE, sentence=said, next=NAME_OTHERS)
    return replace(told, sentence=said)


def _lacking(evidence: Evidence, unmeasured: list[str], limits: Limits) -> tuple[str, ...]:
    """Groups by an attribute that no profile holds, as a fact says."""
    columns = held(evidence)
    if columns is None:
        return ()
    return tuple(g for g in unmeasured if any(attribute not in columns for attribute in limits.groups[g]))


def _nobody(evidence: Evidence, unmeasured: list[str]) -> tuple[str, ...]:
    """Groups that nobody belongs to, as was counted: no choice can fall on them."""
    told = {row.get("group") for row in _control(evidence) if row.get("households") == 0 and "not_measured" in row}
    return tuple(g for g in unmeasured if g in told)


def _why(evidence: Evidence) -> dict[str, str]:
    """Why a group was not measured, by its name."""
    return {str(r.get("group")): str(r["not_measured"]) for r in _control(evidence) if "not_measured" in r}


def _control(evidence: Evidence) -> list[dict[str, Any]]:
    told = evidence.value(CONTROL)
    return [row for row in told if isinstance(row, dict)] if isinstance(told, (list, tuple)) else []


def _empty(nobody: Sequence[str], limits: Limits) -> str:
    """Whom nobody is among, with the answers that nobody gave: who misspelt a level sees it."""
    told = {
        g: ", ".join(f"{_spoken(a)} {' or '.join(levels)}" for a, levels in limits.groups[g].items()) for g in nobody
    }
    named = "; ".join(f"{_spoken(g)} ({levels})" for g, levels in told.items())
    return f"No {ONE} who may be assessed is of: {named}."


def _attributes(groups: Sequence[str], limits: Limits) -> list[str]:
    return sorted({attribute for group in groups for attribute in limits.groups[group]})


def _nobody_told_apart(evidence: Evidence, lacking: Sequence[str], kept: Measure, limits: Limits) -> Verdict:
    """The limits of contact are kept; of groups nothing can be said, because nothing is held or other columns are."""
    nothing = absent(evidence, PROFILES)
    none = _within(kept)
    if nothing:
        return not_applicable(f"{none} There are no profiles to tell groups by: {in_words(nothing)}.", **about(kept))
    figures = about(kept, limit=limits.ratio_at_most)
    return inconclusive(f"{none} {not_held(_attributes(lacking, limits), evidence)}", NAME_OTHERS, **figures)


def _within(kept: Measure) -> str:
    return f"None of {kept.n:,} proposed offers goes against the limits of contact."


def _by_group(evidence: Evidence, ratios: dict[str, Measure], kept: Measure, limits: Limits) -> Verdict:
    most = limits.ratio_at_most
    above = {g: m for g, m in ratios.items() if m.low is not None and m.low > most}
    unsure = {g: m for g, m in ratios.items() if g not in above and m.high is not None and m.high > most}
    none = _within(kept)
    shown = above or unsure or ratios
    worst = max(shown.values(), key=lambda m: m.high or 0)
    figures = about(worst, limit=most)
    if above:
        return failed(
            f"Chosen more than {most:g} times as often as the rest, beyond chance: {_in_words(evidence, above)}. "
            f"{none}",
            "Find what stands in for the group (reports/measures/proxies.json), and leave it or the campaign out.",
            **figures,
        )
    if unsure:
        return inconclusive(
            f"It cannot be excluded that these are chosen more than {most:g} times as often as the rest: "
            f"{_in_words(evidence, unsure)}. {none}",
            f"More {MANY} with declared demographics would tell; else a risk officer decides in writing.",
            **figures,
        )
    return passed(
        f"No group is chosen more than {most:g} times as often as the rest: {_in_words(evidence, ratios)}. {none}",
        **figures,
    )


def _in_words(evidence: Evidence, ratios: dict[str, Measure]) -> str:
    return "; ".join(f"{_spoken(g)}{_size(evidence, g)} {m}{_before(evidence, g)}" for g, m in ratios.items())


def _size(evidence: Evidence, group: str) -> str:
    """How many are in the group: a ratio rests on them and on the rest."""
    control = evidence.fact(CONTROL)
    found = [c.get("households") for c in (control.value if control else ()) if c.get("group") == group]
    return f" ({found[0]:,} {MANY} beside the rest)" if found and isinstance(found[0], int) else ""


def _before(evidence: Evidence, group: str) -> str:
    past = evidence.measure(f"{RATIO}.{group}.past")
    return "" if past is None else f", in past campaigns {past.value:.3g}"


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _plain(groups: Any) -> Any:
    """Lists and tuples alike, levels in any order."""
    if isinstance(groups, dict):
        return {str(k): _plain(v) for k, v in groups.items()}
    return sorted(map(str, groups)) if isinstance(groups, (list, tuple)) else groups
