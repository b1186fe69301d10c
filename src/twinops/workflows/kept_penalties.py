"""The penalties of the model that ships, for whoever fits the like of its regressions to something else."""

import json

from twinops.errors import IntegrityError, ParamsError
from twinops.params import TrainParams, changed
from twinops.workflows.places import Places


def kept_penalties(places: Places, otherwise: TrainParams) -> TrainParams:
    """Those that `train` kept, or those of `params.yaml` where nothing was trained yet.

    Raises:
        IntegrityError: what was kept is no recipe.
    """
    if not places.recipe.is_file():
        return otherwise
    try:
        told = json.loads(places.recipe.read_text(encoding="utf-8"))
        return changed(otherwise, **{name: told[name] for name in TrainParams.model_fields})
    except (ValueError, KeyError, TypeError, ParamsError):
        raise IntegrityError("The file of the recipe is not one.", hint="Run the train stage again.") from None
