"""Refuse a candidate whose features no longer look as they did when its reference was taken.

A feature counts as drifted when its Benjamini-Hochberg q is below .05 (doi:10.1111/j.2517-6161.1995.tb02031.x) and its
normed Wasserstein distance is above .1; this gate judges the share of such features. One that moved is for a person to
look at: in nine calm pairs of months none did, and spend 10 % lower moves two of 24 (docs/gates.md).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.governance.reading import Record

RULE = "House rule: data like those learned from; Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x"
QUESTION = "Do the features still look as they did in the reference window?"
MEASURE = "drift_share"
PICTURES = ("drift_distances",)
WATCHED = ("drift_",)
SPEAKS_TO = {"dpia.accuracy": WATCHED, "annex_iv.3": (MEASURE,), "annex_iv.9": (MEASURE, "drift_features")}


class Limits(Record):
    """`at_most`: the share that may have drifted before it fails; `look_above`: the share that passes unlooked at."""

    at_most: Annotated[float, Field(ge=0, lt=1)]
    look_above: Annotated[float, Field(ge=0, lt=1)] = 0.0


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (MEASURE,)


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Judge the end that hurts: passed only if the high end stays within, and the share within `look_above`."""
    share = evidence.measure(MEASURE)
    if share is None or share.low is None or share.high is None:
        why = evidence.value("drift_features", "not_measured")
        told = f": {why}." if isinstance(why, str) and why else "."
        return missing(
            f"No drift share with its interval was measured{told}",
            "Run `dvc repro drift`.",
            **about(evidence.fact("drift_features"), limit=limits.at_most),
        )
    figures = about(share, limit=limits.at_most)
    sentence = f"The share of drifted features is {share}"
    if share.value > limits.look_above and share.high <= limits.at_most:
        return inconclusive(
            f"{sentence}: within {limits.at_most:g}, but more than passes by itself ({limits.look_above:g}).",
            "See which features moved in notebooks/drift.py; a person named by the policy decides whether it matters.",
            **figures,
        )
    if share.high <= limits.at_most:
        return passed(f"{sentence}, at most {limits.at_most:g}.", **figures)
    if share.low > limits.at_most:
        return failed(
            f"{sentence}, above {limits.at_most:g} throughout.",
            "See which features moved in notebooks/drift.py, and whether the world or a source changed.",
            **figures,
        )
    return inconclusive(
        f"{sentence}, which spans the limit {limits.at_most:g}.",
        "See which features moved in notebooks/drift.py; compare again when the next month is in params.yaml.",
        **figures,
    )
