"""What has to be asked before a shop's files are declared: of the files and the law, and who holds which office."""

from collections.abc import Iterator

from twinops.data.own_sources.proposing.asking import Question
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.governance.people import offices
from twinops.own_sections import OPEN
from twinops.workflows.compliance_files import offices_of
from twinops.workflows.places import Places

WHAT_FOR = {
    offices.DATA_OWNER: "answers for the data: scores in the open, requests of consumers, erasure, retention",
    offices.RISK_OFFICER: "adopts the policy, rules on gates, approves a version",
    offices.DPO: "advises, takes requests of consumers, may erase; never approves (GDPR art. 38(6))",
}


def ask(files: ShopFiles, said: Said, *, places: Places) -> tuple[Question, ...]:
    """Look at the files without reading them through, and list what nobody has said.

    Raises:
        DataError: a file cannot be read, or what is needed is not found in it.
    """
    return (*look(files, said).questions, *_unheld(places))


def _unheld(places: Places) -> Iterator[Question]:
    """Offices for which nobody is named."""
    known = offices_of(places)
    for office in offices.OFFICES:
        if not known.holding(office):
            yield Question(
                f"{OFFICE}{office}",
                f"Who is the {office}: name and e-mail, as Ann Example <ann@example.org>?",
                OPEN,
                why=f"that person {WHAT_FOR[office]}",
                until="nobody may do that, and a command that needs them is refused",
                where=f"{offices.SOURCE}: people, office: {office}",
                form="person",
            )


OFFICE = "office."
"""So begins what is asked of an office."""
