"""How far each feature moved between two as-of days, against the limit."""

from matplotlib.figure import Figure

from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, INK, ORANGE, beside, canvas, tell
from twinops.evaluation.drift.measures import DISTANCE_LIMIT, Q_LIMIT, Drift
from twinops.params import DriftParams
from twinops.twin.state.features import WINDOWS


def drift_distances_picture(drift: Drift, days: DriftParams) -> Figure:
    """One bar per feature, the furthest on top; orange where the feature is flagged."""
    told = sorted((f for f in drift.features if f.distance is not None), key=lambda f: (f.distance or 0.0, f.name))
    figure, ax = canvas(size=(9, 0.24 * max(len(told), 4) + 1.6))
    distances = [f.distance or 0.0 for f in told]
    ax.barh(range(len(told)), distances, color=[ORANGE if f.flagged else BLUE for f in told], height=0.65)
    ax.axvline(DISTANCE_LIMIT, color=INK, linewidth=1, linestyle="--")
    ax.set_yticks(range(len(told)), [_name(f.name) for f in told])
    for place, f in enumerate(told):
        beyond = "  beyond chance" if f.q is not None and f.q < Q_LIMIT else ""
        beside(ax, place, f.distance or 0.0, f"{f.distance:.3f}{beyond}", size=7)
    ax.set_xlim(0, 1.25 * max([DISTANCE_LIMIT, *distances]))
    ax.set_ylim(-0.7, len(told) - 0.3)
    ax.set_xlabel(f"normed Wasserstein distance (dashed: limit {DISTANCE_LIMIT:g})", fontsize=9)
    return tell(figure, finding=_finding(drift, days), rests_on=_rests_on(drift))


def _name(feature: str) -> str:
    """`cents_per_basket_h2` is the cents per basket of two horizons."""
    what, _, window = feature.rpartition("_")
    spans = dict(zip(WINDOWS, ("one horizon", "two horizons", "three horizons"), strict=True))
    return f"{what.replace('_', ' ')}, {spans[window]}" if window in spans else feature.replace("_", " ")


def _finding(drift: Drift, days: DriftParams) -> str:
    between = f"between day {days.reference_cutoff} and day {days.current_cutoff}"
    if drift.share is None:
        return f"Drift {between} could not be measured: {drift.why_not}"
    flagged = sum(f.flagged for f in drift.features)
    return f"{flagged or 'None'} of {len(drift.features)} features moved too far {between}"


def _rests_on(drift: Drift) -> str:
    doubt = "" if drift.share is None else f" Flagged share {drift.share:.0%} [{drift.low:.0%}, {drift.high:.0%}]."
    return (
        f"n = {drift.households_reference:,} and {drift.households_current:,} {MANY}. Flagged: distance of at "
        f"least {DISTANCE_LIMIT:g} and Benjamini-Hochberg q < {Q_LIMIT:g}.{doubt}\nWindowed features only: cumulative "
        "ones move with the clock. Distances by Evidently, q from Kolmogorov-Smirnov tests."
    )
