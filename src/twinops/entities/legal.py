"""The legal facts every source carries beside its reader and schema (GDPR arts. 5, 6, 13, 14, 30)."""

from __future__ import annotations

from dataclasses import dataclass

from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.wording import MANY


@dataclass(frozen=True)
class DataSheet:
    """Whom the data are about and what they cannot tell, for every document that shows what was made of them.

    After Gebru et al. 2021, Datasheets for datasets (doi:10.1145/3458723). What stands here unchanged is true of data
    of the controller's own, of which nothing more is declared.
    """

    name: str = "the controller's own receipt lines"
    short: str = "own"
    cite_as: str = "The controller's own data; not published."
    license: str = "None: not published."
    people: str = f"{MANY} of the controller's own"
    partly_imputed: str = ""
    not_about: str = "anybody else"
    made_up: str = ""
    subjects: str = f"{MANY} of the controller's own"
    technical: str = "The results tell nothing about consumers beyond the controller's own data."
    biases: str = "Only consumers of the controller whose consent allows it."
    limitations: str = "Tells nothing about consumers beyond the controller's own data."
    caveats: tuple[str, ...] = (
        "The receipt lines are the controller's own, as declared in `params.yaml`; the results tell nothing about "
        "consumers beyond them.",
    )

    @property
    def whom(self) -> str:
        """In one line."""
        imputed = f", of whose demographics {self.partly_imputed} are partly imputed" if self.partly_imputed else ""
        return f"{self.people}{imputed}; tells nothing about {self.not_about}"

    @property
    def noted(self) -> str:
        """For below a picture, with what was imputed."""
        return f"{self.people}{f'; {self.partly_imputed} are partly imputed' if self.partly_imputed else ''}."

    @property
    def noted_shortly(self) -> str:
        """For below a picture."""
        return f"{self.people}{', demographics partly imputed' if self.partly_imputed else ''}."


@dataclass(frozen=True)
class LegalFacts:
    """Why a source may be held, for what, from where and how long.

    `columns` maps every column that may enter to the purposes it is needed for; a column that is not in it does not
    enter. `retention_days` counts from the event; None: nobody has said how long. `provenance` is quoted wherever the
    data are shown.
    """

    controller: str
    provenance: str
    collected_from: str
    bases: dict[Purpose, LegalBasis]
    columns: dict[str, tuple[Purpose, ...]]
    retention_days: int | None
    notice: str
    synthetic: bool
    personal_data: str
    """DPV term for the category of personal data."""
    sheet: DataSheet = DataSheet()
    demo: bool = True
    """Shipped public or generated data: may be sealed with the published demo master key."""
