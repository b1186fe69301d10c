"""Declare what was proposed of a shop's files, and write down who holds which office, as it was said."""

from collections.abc import Mapping

from twinops.governance.people import offices, offices_edit
from twinops.governance.reading import checked
from twinops.whole_files import write as leave
from twinops.workflows.compliance_files import text_of
from twinops.workflows.places import Places
from twinops.workflows.sources.propose import Proposed, put


def declare(found: Proposed, holders: Mapping[str, tuple[str, str]] | None = None, *, places: Places) -> Proposed:
    """Write both; `holders` are name and e-mail by office. Nothing is read again.

    Raises:
        ParamsError: `compliance/offices.yaml` would hold a mistake; nothing is written.
    """
    path = places.compliance / "offices.yaml"
    text = text_of(path) if holders else ""
    for office, (name, email) in (holders or {}).items():
        given = {"name": name, "emails": (email,), "office": office, "account": offices_edit.account_for(text, office)}
        text = offices_edit.with_person(text, checked(offices.StaffMember, given, name=offices.SOURCE))
    if holders:
        leave(path, text)
    return put(found, places)
