"""The penalties of the model that ships, for whoever fits the like of its regressions to something else.

They lie in a file of their own: who speaks for the twin may be chosen anew while the penalties stay, and then whoever
follows from the penalties alone need not be made anew.
"""

import json

from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError, ParamsError
from twinops.params import TrainParams, changed
from twinops.whole_files import write
from twinops.workflows.places import Places


def keep_penalties(places: Places, penalties: TrainParams) -> None:
    """Write them beside the recipe."""
    write(places.penalties, to_json(penalties.model_dump(), indent=1) + "\n")


def kept_penalties(places: Places, otherwise: TrainParams) -> TrainParams:
    """Those that `train` kept, or those of `params.yaml` where nothing was trained yet.

    Raises:
        IntegrityError: what was kept are no penalties.
    """
    if not places.penalties.is_file():
        return otherwise
    try:
        told = json.loads(places.penalties.read_text(encoding="utf-8"))
        return changed(otherwise, **{name: told[name] for name in TrainParams.model_fields})
    except (ValueError, KeyError, TypeError, ParamsError):
        raise IntegrityError("The file of the penalties is not one.", hint="Run the train stage again.") from None
