"""List what only people can say of this project and nobody has said yet."""

from twinops.governance.open_fields import OpenField
from twinops.workflows.compliance_files import open_in
from twinops.workflows.places import Places


def owed(places: Places) -> tuple[OpenField, ...]:
    """Every open place of the declarations, before anything was measured, too."""
    return open_in(places)
