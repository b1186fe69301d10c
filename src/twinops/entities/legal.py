"""The legal facts every source carries beside its reader and schema (GDPR arts. 5, 6, 13, 14, 30)."""

from __future__ import annotations

from dataclasses import dataclass

from twinops.entities.consent import LegalBasis, Purpose


@dataclass(frozen=True)
class LegalFacts:
    """Why a source may be held, for what, from where and how long.

    `columns` maps every column that may enter to the purposes it is needed for; a column that is not in it does not
    enter. `retention_days` counts from the event. `provenance` is quoted wherever the data are shown.
    """

    controller: str
    provenance: str
    collected_from: str
    bases: dict[Purpose, LegalBasis]
    columns: dict[str, tuple[Purpose, ...]]
    retention_days: int
    notice: str
    synthetic: bool
    personal_data: str
    """DPV term for the category of personal data."""
    demo: bool = True
    """Shipped public or generated data: may be sealed with the published demo master key."""
