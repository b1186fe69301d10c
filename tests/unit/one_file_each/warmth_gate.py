"""Refuse a twin that is told too warmly. Made up: the gate of the conformance test."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from twinops.entities.evidence import Evidence
from twinops.entities.shown import Section
from twinops.entities.verdict import Verdict, about, failed, missing, passed
from twinops.governance.citations import said
from twinops.governance.reading import Record

RULE = "made up for a test: the rule of warmth"
QUESTION = "Is it told too warmly?"
PICTURES = ("warmth",)
WATCHED = ("warmth_",)
SPEAKS_TO = {"dpia.accuracy": WATCHED, "annex_iv.9": WATCHED}
CONSIDERED_AS = "Who is told too warmly"
SECTION = Section.MONITORING


class Limits(Record):
    """How warm it may be."""

    at_most: float


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence."""
    return ("warmth_share",)


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Cool enough: passed."""
    share = evidence.measure("warmth_share")
    if share is None:
        return missing("No warmth was measured.", "Run `twinops run warmth_measure`.")
    if share.value > limits.at_most:
        return failed(f"Too warm: {share}.", "Cool it.", **about(share, limit=limits.at_most))
    return passed(f"Cool enough: {share}.", **about(share, limit=limits.at_most))


def told(evidence: Evidence) -> Iterator[Markup]:
    """One line of the card."""
    share = evidence.measure("warmth_share")
    if share:
        yield said("The gate's own line on warmth", share)
