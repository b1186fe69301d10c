"""Refuse a model whose file carries people: planted rows are found in it, or it grows with the rows it was made of.

A file of parameters does neither. A nearest-neighbour, kernel or in-context model is its training table, and whoever
holds the file holds the people.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.entities.wording import MANY
from twinops.governance.reading import Record

RULE = "GDPR arts. 5(1)(c), 25(1), recital 26; EDPB opinion 28/2024; Carlini et al. 2019, arXiv:1802.08232"
QUESTION = "Does the model's file carry the people it was made of?"
CANARIES, GROWTH = "carried_canaries", "carried_growth"
RISKS = ("incident_access",)
SPEAKS_TO = {"dpia.risk_incident": ("carried_",), "annex_iv.2g": ("carried_",)}


class Limits(Record):
    """`canaries_at_most`: share of planted rows found in the file; `bytes_at_most`: how much longer a row makes it."""

    canaries_at_most: Annotated[float, Field(gt=0, lt=1)]
    bytes_at_most: Annotated[float, Field(gt=0, le=100)]


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (CANARIES, GROWTH)


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Judge the end that hurts of both."""
    canaries, growth = evidence.measure(CANARIES), evidence.measure(GROWTH)
    if canaries is None or canaries.low is None or canaries.high is None:
        return missing("Nobody searched the model's file for people.", "Run `dvc repro privacy`.")
    if growth is None or growth.low is None or growth.high is None:
        return missing("How the model's file grows was not measured.", "Run `dvc repro privacy`.")
    figures = about(canaries, limit=limits.canaries_at_most)
    told = f"Of rows planted before the fit {canaries} are found in the file; a row makes it {growth} bytes longer"
    bounds = f"limits {limits.canaries_at_most:g} and {limits.bytes_at_most:g}"
    if canaries.high <= limits.canaries_at_most and growth.high <= limits.bytes_at_most:
        return passed(f"{told}; {bounds}.", **figures)
    if canaries.low > limits.canaries_at_most or growth.low > limits.bytes_at_most:
        return failed(f"{told}, beyond the {bounds}: it carries people.", "Choose a model of parameters.", **figures)
    return inconclusive(f"{told}, which spans the {bounds}.", f"Collect more {MANY}, or a simpler model.", **figures)
