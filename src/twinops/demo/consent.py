"""A consent ledger nobody wrote: SYNTHETIC, from a seed, around the households that are really there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from twinops.entities.consent import Event, LegalBasis, Purpose

Story = list[tuple[int, Event]]
"""What one household said about one purpose: (day, event), in order. Days before 0 lie before the first receipt."""

_FOLLOWS = {Purpose.SCORING: 0.95, Purpose.OFFERS: 0.85, Purpose.BIAS_ASSESSMENT: 0.9}
"""How often a household says of a purpose just what it said of training."""

NOTICES = ("2016-06 (synthetic)", "2017-04 (synthetic)")
"""Versions of the privacy notice, shown before and from day 100 on."""

_OBJECTS_TO_OFFERS = 0.05


def ledger(households: Sequence[int], *, seed: int, excluded_share: float) -> pa.Table:
    """Events of every household, in order: `household_id, purpose, event, basis, notice_version, day, seq`.

    From day 301 on, exactly the share `excluded_share` of the households (rounded) does not allow training: refused,
    withdrawn, objected, or never asked. Others allow it late, or changed their minds. `seq` counts a household's
    events.
    """
    rng = np.random.default_rng(seed)
    excluded = set(rng.permutation(len(households))[: round(excluded_share * len(households))].tolist())
    rows: list[tuple[int, str, str, str, str, int, int]] = []
    for i, household in enumerate(households):
        said = _household(rng, allows=i not in excluded, excluded_share=excluded_share)
        events = sorted(
            (day, purpose, place, event) for purpose, story in said.items() for place, (day, event) in enumerate(story)
        )
        rows += [
            (int(household), purpose, event, LegalBasis.CONSENT, NOTICES[day >= 100], day, seq)
            for seq, (day, purpose, _, event) in enumerate(events)
        ]
    columns = list(zip(*rows, strict=True)) or [()] * len(_SCHEMA)
    return pa.table([pa.array([*c], f.type) for c, f in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA)


_SCHEMA = pa.schema(
    [
        ("household_id", pa.int64()),
        *((c, pa.string()) for c in ("purpose", "event", "basis", "notice_version")),
        ("day", pa.int64()),
        ("seq", pa.int64()),
    ]
)


def _household(rng: np.random.Generator, *, allows: bool, excluded_share: float) -> dict[Purpose, Story]:
    """Training first; the other purposes mostly follow it. Some then object to direct marketing (GDPR art. 21(3))."""
    training = _allowing(rng) if allows else _refusing(rng)
    said = {Purpose.TRAINING: training}
    for purpose, follows in _FOLLOWS.items():
        own = _allowing(rng) if rng.random() >= excluded_share else _refusing(rng)
        said[purpose] = training if rng.random() < follows else own
    if rng.random() < _OBJECTS_TO_OFFERS and said[Purpose.OFFERS]:
        said[Purpose.OFFERS] = [*said[Purpose.OFFERS], (int(rng.integers(301, 351)), Event.OBJECTED)]
    return said


def _allowing(rng: np.random.Generator) -> Story:
    """Granted in the end: from the start, late, again after a withdrawal, or after a refusal."""
    kind, start = rng.random(), -int(rng.integers(1, 201))
    first, second = int(rng.integers(1, 151)), int(rng.integers(151, 301))
    if kind < 0.8:
        return [(start, Event.GRANTED)]
    if kind < 0.9:
        return [(second if kind < 0.85 else first, Event.GRANTED)]
    if kind < 0.96:
        return [(start, Event.GRANTED), (first, Event.WITHDRAWN), (second, Event.GRANTED)]
    return [(start, Event.REFUSED), (second, Event.GRANTED)]


def _refusing(rng: np.random.Generator) -> Story:
    """Not granted in the end: never asked, refused, withdrawn once or twice, or objected."""
    kind, start = rng.random(), -int(rng.integers(1, 201))
    first, second = int(rng.integers(1, 151)), int(rng.integers(151, 301))
    if kind < 0.25:
        return []
    if kind < 0.55:
        return [(start, Event.REFUSED)]
    if kind < 0.85:
        return [(start, Event.GRANTED), (second if kind < 0.7 else first, Event.WITHDRAWN)]
    if kind < 0.92:
        return [(start, Event.GRANTED), (first, Event.OBJECTED)]
    return [(start - 1, Event.GRANTED), (start, Event.WITHDRAWN), (first, Event.GRANTED), (second, Event.WITHDRAWN)]
