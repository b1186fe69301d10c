"""Tell whether the candidate that was made last can be asked about states as they are remembered now."""

from __future__ import annotations

from twinops.params import FeaturesParams
from twinops.workflows.places import Places
from twinops.workflows.twin.open import shipped_model


def usable(*, places: Places, grid: FeaturesParams) -> bool:
    """Whether all of it is there, and it was taught the horizon and the memories of `params.yaml`.

    Its evidence comes last: without it the run that made the candidate broke off.
    """
    if not all(path.is_file() for path in (places.model, places.recipe, places.penalties, places.evidence)):
        return False
    model = shipped_model(places)
    return (model.horizon_days, tuple(model.decay_days)) == (grid.horizon_days, tuple(grid.decay_days))
