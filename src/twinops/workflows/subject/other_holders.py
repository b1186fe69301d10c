"""Who else holds data of the persons: recipients that are declared (GDPR art. 19), and the shop's own files."""

from __future__ import annotations

from collections.abc import Iterator

from twinops.governance.assessment import questions as dpia
from twinops.own_params import OwnParams
from twinops.workflows.compliance_files import text_of
from twinops.workflows.places import Places


def recipients(places: Places) -> list[str]:
    """As the impact assessment names them."""
    path = places.compliance / "dpia.yaml"
    actors = dpia.read(text_of(path)).declared.actors if path.is_file() else None
    if actors is None:
        return []
    return [*(actors.recipients or ()), *(f"{one} (processor)" for one in actors.processors or ())]


def own_files(own: OwnParams, *, panelist: bool) -> Iterator[str]:
    """Files about people that twinops reads and does not own; tables of goods and mailings hold nobody.

    A panel that names no customer is of other people; it is told only where a `panelist` is asked about.
    """
    for name, said in sorted(own.root.items()):
        others = "link" in said.form.columns.values() and not said.by_customer
        if said.form.personal and (panelist or not others):
            yield f"source {name} ({said.path or said.url_from or said.files})"
