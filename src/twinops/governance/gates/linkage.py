"""Refuse a candidate whose records are linked too carelessly: a false match gives a person's data to the wrong twin.

The lower end of precision, the share of joined pairs of records that are one person's, must reach the limit (Fellegi &
Sunter 1969, doi:10.1080/01621459.1969.10501049); the share of false matches is what is left of it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, not_applicable, passed
from twinops.governance.gates._absent import absent, in_words
from twinops.governance.reading import Record

RULE = "GDPR art. 5(1)(d) and (f); Fellegi & Sunter 1969, doi:10.1080/01621459.1969.10501049"
QUESTION = "Are linked records surely one person's?"
MEASURE = "linkage_precision"
LINKED = ("registrations", "crm", "social_accounts")
"""Sources whose records are joined with each other."""
PICTURES = ("linkage_bands",)
RISKS = ("incident_change",)
SPEAKS_TO = {"dpia.accuracy": (MEASURE, "linkage_recall", "linkage_wrong"), "annex_iv.2d": (MEASURE, "linkage_recall")}


class Limits(Record):
    """`at_least`: the share of joined pairs that must be one person's."""

    at_least: Annotated[float, Field(gt=0, le=1)]


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (MEASURE,)


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Judge the end that hurts: passed only when even the low end of precision reaches the limit."""
    precision = evidence.measure(MEASURE)
    nothing = () if precision is not None else nothing_to_link(evidence)
    if nothing:
        said = f"There are no records to link: {in_words(nothing)}.{by_customer(evidence)}"
        return not_applicable(said, **about(nothing[0]))
    if precision is None or precision.low is None or precision.high is None:
        return missing(
            "No linkage precision with its interval was measured.",
            "Run `dvc repro link`; records of your own need a labelled sample as truth.",
            limit=limits.at_least,
        )
    figures = about(precision, limit=limits.at_least)
    sentence = f"The share of joined pairs that are one person's is {precision}"
    if precision.low >= limits.at_least:
        return passed(f"{sentence}, at least {limits.at_least:g}.", **figures)
    if precision.high < limits.at_least:
        return failed(
            f"{sentence}, below {limits.at_least:g} throughout.",
            "Raise link.merge_at in params.yaml, and see the weakest tie in notebooks/sources.py.",
            **figures,
        )
    return inconclusive(
        f"{sentence}, which spans the limit {limits.at_least:g}.",
        "See the weakest tie in notebooks/sources.py; raise link.merge_at in params.yaml, or measure on more records.",
        **figures,
    )


def nothing_to_link(evidence: Evidence) -> tuple[Fact, ...]:
    """Facts that say why there is nothing: no source of these, nothing to link to, or nothing that could be linked."""
    for group in (LINKED, LINKED[:1], LINKED[1:]):
        facts = () if _some(evidence, group) else absent(evidence, *group)
        # of what is there instead, the stage must have told: silence says nothing
        if facts and all(_some(evidence, (other,)) for other in LINKED if other not in group):
            return facts
    return ()


def by_customer(evidence: Evidence) -> str:
    """The sources whose rows name the customer, in a sentence."""
    named = evidence.value("linkage_not_needed")
    if not isinstance(named, list | tuple) or not named:
        return ""
    return (
        f" Rows of {', '.join(str(n).replace('_', ' ') for n in named)} name the customer: nothing of them is linked."
    )


def _some(evidence: Evidence, sources: tuple[str, ...]) -> bool:
    """Whether the stage that links saw any record of these, or left no readable word of it."""
    records = evidence.value("linkage_records")
    if not isinstance(records, dict):
        return True
    told = [records[s] for s in sources if s in records]
    return any(not isinstance(of, dict) or of.get("held") != 0 for of in told)
