"""Which attributes and groups a shop can be assessed by: the columns of its own profiles, as it declares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twinops.data.own_sources.declared_law import law_on
from twinops.data.sources import demographics
from twinops.entities.consent import Purpose
from twinops.entities.demographics import CODES, order_of
from twinops.own_kinds import BESIDE
from twinops.own_params import NOTHING_OWN, OwnParams

HOUSEHOLD = "household_id"
BANDED = {"birth_year": "age"}
"""A year of birth is sealed as a band of age."""
EXPLOITED = {
    "old_age": ("age", -1), "young_adults": ("age", 0), "low_income": ("income", 0),
}  # fmt: skip
"""Groups that are easily exploited by age or by their means (AI Act art. 5(1)(b)), by which end of a known order."""
FAMILIES = ("1 Adult Kids",)


@dataclass(frozen=True)
class Assessable:
    """What a policy can name: attributes that decide, and levels by attribute of groups that are easily exploited."""

    attributes: tuple[str, ...]
    groups: Mapping[str, Mapping[str, tuple[str, ...]]]


def columns_held(own: OwnParams = NOTHING_OWN) -> tuple[str, ...]:
    """Columns of the profiles that are declared for assessing bias; none: no profiles are declared, or not for that."""
    if own.root and own.staged_as("demographics") is None:
        return ()
    columns = law_on(own, demographics).columns
    serving = (name for name, purposes in columns.items() if Purpose.BIAS_ASSESSMENT in purposes)
    return tuple(sorted({BANDED.get(name, name) for name in serving} - {HOUSEHOLD, *BESIDE}))


def assessable(own: OwnParams, levels: Mapping[str, Iterable[str]] = CODES) -> Assessable:
    """Attributes and groups that a new project's policy begins with; `levels` are those that its profiles hold.

    What is not held is not named, but for age: a policy names at least one attribute, and says of what is not held that
    it is not.
    """
    held = columns_held(own)
    groups: dict[str, dict[str, tuple[str, ...]]] = {}
    for group, (attribute, end) in EXPLOITED.items():
        order = order_of(attribute, levels.get(attribute, ())) if attribute in held else None
        if order:
            groups[group] = {attribute: (order[end],)}
    if "household_comp" in held and set(FAMILIES) <= set(levels.get("household_comp", ())):
        groups["one_adult_with_children"] = {"household_comp": FAMILIES}
    nobody = {"old_age": {"age": (CODES["age"][-1],)}}
    return Assessable(held or ("age",), groups or nobody)
