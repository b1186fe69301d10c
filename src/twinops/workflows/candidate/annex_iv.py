"""Write the technical documentation of the AI Act's Annex IV for whoever asks, whatever the class of the system."""

from pathlib import Path

from twinops.errors import IntegrityError
from twinops.governance import citations
from twinops.governance.documents.annex_iv import written
from twinops.ports import Lineage
from twinops.whole_files import write
from twinops.workflows.candidate.judge import judge
from twinops.workflows.places import Places


def annex_iv(places: Places, lineage: Lineage, *, into: str) -> Path:
    """The file, assembled from the evidence that lies here and what is looked up now.

    Raises:
        IntegrityError: it would state what no evidence carries.

    """
    judged = judge(places, lineage)
    path, text = Path(into), written(judged.evidence, judged.decision)
    found = citations.faults(path.name, text, citations.ids(judged.evidence))
    if found:
        raise IntegrityError("The file cites badly:\n  " + "\n  ".join(found), hint="Mend its template.")
    write(path, text)
    return path
