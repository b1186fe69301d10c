"""Read what the controller's data owner declared in `compliance/intended_use.yaml`."""

from collections.abc import Mapping

from twinops.errors import ParamsError
from twinops.governance.law import intended_use
from twinops.governance.law.intended_use import IntendedUse
from twinops.governance.open_fields import NOT_SAID, is_said
from twinops.governance.people.offices import DATA_OWNER, DPO
from twinops.own_params import OwnParams
from twinops.workflows.compliance_files import offices_of
from twinops.workflows.places import Places


def uses_of(places: Places) -> IntendedUse:
    """The whole file.

    Raises:
        ParamsError: it is absent, or holds mistakes; all are told together.
    """
    path = places.compliance / "intended_use.yaml"
    try:
        return intended_use.read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "Restore it from git: it declares the decision that is judged, and for whom."
        raise ParamsError("There is no compliance/intended_use.yaml.", hint=hint) from None
    except UnicodeDecodeError:
        raise ParamsError("compliance/intended_use.yaml is no UTF-8 text.", hint="Mend the file.") from None


def controller_of(places: Places, own: OwnParams) -> str:
    """Name and contact of whoever answers for the data; what is open in the declared use, as it was said elsewhere.

    The sources name their controller, and `compliance/offices.yaml` whom to write to: the data protection officer, or
    the data owner.
    """
    there = (places.compliance / "intended_use.yaml").is_file()
    said = uses_of(places).controller if there else None
    sources = sorted({s.legal.controller for s in own.root.values() if is_said(s.legal.controller)})
    people: dict[str, str] = {p.office: p.emails[0] for p in offices_of(places).people if p.office and p.emails}
    name = said.name if said and is_said(said.name) else " and ".join(sources)
    contact = said.contact if said and is_said(said.contact) else people.get(DPO) or people.get(DATA_OWNER) or ""
    return ", ".join(filter(None, (name, contact))) or NOT_SAID


def against_nobody(places: Places, own: OwnParams) -> None:
    """Data of real people have somebody who answers for them (GDPR art. 4(7)).

    Raises:
        ParamsError: a source of real people is declared, and the controller is made up.
    """
    real = [f"own.{name}" for name, said in own.root.items() if not said.legal.synthetic]
    if real and uses_of(places).controller.synthetic:
        raise ParamsError(
            f"{', '.join(real)} holds data of real people, and compliance/intended_use.yaml names a controller who is "
            "made up. Nothing was read.",
            hint="Name there who answers for the data (`controller`, with `synthetic: false`).",
        )


def attributes_of(places: Places) -> Mapping[str, tuple[str, ...] | None]:
    """By what households are assessed: attributes with their levels in order, or None where they have none."""
    return {name: told.ordered for name, told in uses_of(places).fairness.attributes.items()}
