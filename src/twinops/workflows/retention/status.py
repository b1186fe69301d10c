"""What is proposed to hold, unit by unit, and what a person has decided of it."""

from dataclasses import dataclass
from typing import Any

from twinops.entities.fact import Fact
from twinops.errors import DataError
from twinops.governance.law import retention
from twinops.workflows.compliance_files import offices_of, signed_retention
from twinops.workflows.places import Places


@dataclass(frozen=True)
class RetentionStatus:
    """The proposal's texts by unit, the answers in the file, and which of them stand."""

    proposal: Fact
    decisions: retention.Retention
    review: dict[str, Any]

    @property
    def texts(self) -> dict[str, str]:
        """What is proposed of each unit."""
        return retention.proposed(self.proposal)

    def state(self, unit: str) -> str:
        """One word, and why where it does not stand."""
        for name in ("open", "accepted", "refused"):
            if unit in self.review[name]:
                return name
        yes = self.decisions.decisions[unit].accepted
        return f"{'accepted' if yes else 'refused'}, not counted: {self.review['problem']}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.review, "proposed": self.texts}


def status(places: Places) -> RetentionStatus:
    """Read the proposal that was measured and the file of decisions.

    Raises:
        DataError: nothing was proposed yet.
        ParamsError: the file of decisions holds mistakes.
    """
    found = places.kept("minimise").facts if places.measures("minimise").is_file() else ()
    proposal = next((f for f in found if f.name == retention.PROPOSAL), None)
    if proposal is None:
        raise DataError("Nothing is proposed yet.", hint="Run `dvc repro minimise`.")
    signed = signed_retention(places, offices_of(places))
    return RetentionStatus(proposal, signed.said, dict(signed.review(proposal).value))
