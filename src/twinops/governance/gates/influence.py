"""Refuse a twin whose choice presses on households, or falls more often on those who are easily exploited.

Who is easily exploited is declared in the limits. None of these attributes is a feature, and none may select anybody;
what is judged is whether the choice falls on them more often all the same, through something that stands in for them.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.entities.wording import MANY
from twinops.governance.reading import Record, Text

RULE = "AI Act art. 5(1)(a)-(b) (Reg. (EU) 2024/1689), guidelines C(2025) 5052; Dir. 2005/29/EC arts. 5(3), 8-9"
QUESTION = "Does the proposed campaign keep to the limits of contact, and spare groups that are easily exploited?"
GROUPS, KEPT, RATIO = "influence_groups", "influence_against_guard", "influence_ratio"
PICTURES = ("influence",)
WATCHED = ("influence_",)
RISKS = ("risk_manipulation",)
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
    measured, kept = evidence.fact(GROUPS), evidence.measure(KEPT)
    ratios = {group: evidence.measure(f"{RATIO}.{group}") for group in limits.groups}
    known = {g: m for g, m in ratios.items() if m is not None and m.low is not None and m.high is not None}
    absent = [GROUPS] * (measured is None) + [KEPT] * (kept is None) + sorted(set(ratios) - set(known))
    if kept is not None and not kept.n:
        return missing(
            "There is no offer that the campaign would make, so nothing can be said of whom it falls on.",
            "Somebody must allow offers; `twinops status` says who was left out.",
            limit=limits.ratio_at_most,
        )
    if absent or measured is None or kept is None:
        return missing(
            f"Not measured: {', '.join(map(_spoken, absent))}.",
            f"Run `dvc repro influence`; a group needs at least ten {MANY} with declared demographics.",
            limit=limits.ratio_at_most,
        )
    if _plain(measured.value) != _plain(limits.groups):
        return missing(
            "The groups that were measured are not those that the policy names.",
            "Run `dvc repro influence` with this policy.",
            limit=limits.ratio_at_most,
        )
    if kept.value > 0:
        return failed(
            f"{kept.value:g} of {kept.n:,} proposed offers go against the limits of contact or to whom they protect.",
            "See the section `influence` of compliance/policy.yaml, and src/twinops/workflows/pipeline/influence.py.",
            **about(kept, limit=0),
        )
    return _by_group(evidence, known, kept, limits)


def _by_group(evidence: Evidence, ratios: dict[str, Measure], kept: Measure, limits: Limits) -> Verdict:
    most = limits.ratio_at_most
    above = {g: m for g, m in ratios.items() if m.low is not None and m.low > most}
    unsure = {g: m for g, m in ratios.items() if g not in above and m.high is not None and m.high > most}
    none = f"None of {kept.n:,} proposed offers goes against the limits of contact."
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
    return "; ".join(f"{_spoken(g)} {m}{_before(evidence, g)}" for g, m in ratios.items())


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
