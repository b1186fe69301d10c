"""Do one thing with a case: identify, take into work, extend, answer or refuse."""

from dataclasses import dataclass

from twinops.governance.subject_cases import RequestCase, StepAsked
from twinops.workflows.subject.casework import case_of, take_step
from twinops.workflows.subject.desk import WRONG_OFFICE, Desk


@dataclass(frozen=True)
class CaseMoved:
    """The case as it stands, or why nothing was done."""

    case: RequestCase
    refused: str | None = None

    def text(self) -> str:
        """In words."""
        return f"{self.case.id}: {self.refused or f'{self.case.state.value}, due {self.case.due}'}"


def step(case: str, asked: StepAsked, *, by: str, desk: Desk) -> CaseMoved:
    """Write the step.

    Raises:
        ParamsError: there is no such case, or nobody was named.
    """
    officer, found = desk.officer(by), case_of(desk.rights, case)
    refused = WRONG_OFFICE if officer is None else take_step(desk.rights, found, asked, officer)
    return CaseMoved(case_of(desk.rights, case), refused)
