"""What moves forecasts, for everybody together: by the twin's own terms and by the challenger's trees, side by side."""

import pyarrow as pa

from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.twin.answers.explain import HeadExplanation, explain_heads, explain_trees
from twinops.twin.model.boosted_trees import Challenger
from twinops.twin.model.model import HEADS, TwinModel


def importance_fact(model: TwinModel, challenger: Challenger, table: pa.Table) -> Fact:
    """Head -> `twin` and `challenger` -> heading -> mean size of its part of a row's log-odds or log-rate."""
    value = {
        head: {
            "twin": _by_heading(explain_heads(model, table, head)),
            "challenger": _by_heading(explain_trees(challenger, table, head)),
        }
        for head in HEADS
    }
    source = "scorecard: exact additive terms of the heads; Shapley values of the challenger's trees"
    return Fact("importance", {"rows": table.num_rows, "heads": value}, Kind.MEASURED, source)


def _by_heading(explained: HeadExplanation) -> dict[str, float]:
    return {heading: rounded(size, 4) for heading, size in explained.grouped.importance.items()}
