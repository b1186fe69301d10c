"""Read what the controller's data owner declared in `compliance/intended_use.yaml`."""

from collections.abc import Mapping

from twinops.errors import ParamsError
from twinops.governance.law import intended_use
from twinops.governance.law.intended_use import IntendedUse
from twinops.own_params import OwnParams
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
