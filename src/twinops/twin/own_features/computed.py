"""One number per subject as of a day, by a file of the project: what came later is not there while it is computed.

The file sees numbered subjects, the columns that it declares, and days before the as-of day; it opens nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.consent import Purpose
from twinops.entities.legal import LegalFacts
from twinops.errors import DataError, ParamsError
from twinops.ports import Engine
from twinops.twin.own_features._shelf import NEEDED, OwnFeature

DECIMALS = 6
LARGEST = 1e9
WHO, VALUE = "subject", "value"
_DECLARED = {
    "day": ("time", "transaction_timestamp"),
    # without receipt numbers, what somebody buys at one moment is one basket
    "basket_id": ("basket_id", "time", "transaction_timestamp"),
    "sales_cents": ("sales_value", "unit_price"),
    "retail_discount_cents": ("retail_disc",),
    "coupon_discount_cents": ("coupon_disc",),
    "coupon_match_discount_cents": ("coupon_match_disc",),
}
"""Column as sealed -> names under which a source declares it, where those differ."""


def against_undeclared(features: Sequence[OwnFeature], legal: LegalFacts) -> None:
    """Refuse what reads a column that its source does not declare for the same purposes (GDPR art. 5(1)(b)).

    Raises:
        ParamsError: one does, or the source has not got the column.
    """
    for feature in features:
        for column in feature.reads:
            declared = next((d for d in _DECLARED.get(column, (column,)) if d in legal.columns), None)
            if declared is None:
                what = f"The feature {feature.name} reads {column}, which the receipt lines have not got."
                raise ParamsError(what, hint="Map the column, or take the feature out of params.yaml.")
            lacking = sorted(NEEDED - {Purpose(p) for p in legal.columns[declared]})
            if lacking:
                raise ParamsError(
                    f"The feature {feature.name} reads {declared}, which is not declared for {', '.join(lacking)}.",
                    hint="Declare it in legal.purposes, if it is so; else take the feature out of params.yaml.",
                )


def with_own(panel: pa.Table, lines: pa.Table, features: Sequence[OwnFeature], engine: Engine) -> pa.Table:
    """The panel with a column a feature; who has no row in the answer has 0.

    Raises:
        DataError: an answer is not one finite number for each subject.
    """
    if not features:
        return panel
    named = pc.unique(panel["sid"])  # nobody's lines are looked at who is in no panel
    lines = lines.filter(pc.is_in(lines["sid"], value_set=named))
    seen = {f.name: _seen(lines, named, f) for f in features}
    who = pc.index_in(panel["sid"], value_set=named)
    rows, cutoff = np.asarray(who.to_numpy()), np.asarray(panel["cutoff"].to_numpy())
    for feature in features:
        values = np.zeros(panel.num_rows)
        for day in np.unique(cutoff):
            at = cutoff == day
            values[at] = _as_of(feature, seen[feature.name], int(day), len(named), engine)[rows[at]]
        panel = panel.append_column(feature.column, pa.array(values))
    return panel


def of_one(lines: pa.Table, day: int, features: Sequence[OwnFeature], engine: Engine) -> dict[str, float]:
    """The same of one subject's lines, by column: what its twin is asked with."""
    named = pc.unique(lines["sid"])
    return {f.column: float(_as_of(f, _seen(lines, named, f), day, 1, engine)[0]) for f in features}


def _seen(lines: pa.Table, named: pa.Array, feature: OwnFeature) -> pa.Table:
    """What the file may see: a running number in the place of the sid, and the columns that it reads, ordered."""
    who = pc.index_in(lines["sid"], value_set=named)
    columns = dict.fromkeys(("day", *feature.reads))
    table = pa.table({WHO: who.cast(pa.int64()), **{c: lines[c] for c in columns}})
    return table.sort_by([(c, "ascending") for c in table.column_names])


def _as_of(feature: OwnFeature, seen: pa.Table, day: int, many: int, engine: Engine) -> np.ndarray:
    """One number for each subject, 0 where the answer tells none."""
    past = seen.filter(pc.less(seen["day"], day))
    told = _asked(feature, past, day, engine)
    out = np.zeros(many)
    for problem in _mistakes(told, many):
        what = f"ideas/features/{feature.name} as of day {day} {problem}."
        raise DataError(what, hint=f"It answers with a table of `{WHO}` and `{VALUE}`, one row each.")
    out[np.asarray(told[WHO].to_numpy())] = np.round(np.asarray(told[VALUE].cast(pa.float64()).to_numpy()), DECIMALS)
    return out


def _asked(feature: OwnFeature, past: pa.Table, day: int, engine: Engine) -> pa.Table:
    try:
        if feature.sql is None:
            found = feature.module.value(past, day)
            return found if isinstance(found, pa.Table) else pa.table({})
        shut = engine.shut()
        shut.register("past", past)
        shut.register("as_of", pa.table({"day": pa.array([day], pa.int64())}))
        return shut.query(feature.sql)
    except Exception as problem:
        # its values may be somebody's: of what the file stumbled over only the kind is told
        said = problem.what if isinstance(problem, DataError) else f"it ended with a {type(problem).__name__}"
        raise DataError(
            f"ideas/features/{feature.name} cannot be computed: {said}", hint="`twinops ideas check` tries it."
        ) from None


def _mistakes(told: pa.Table, many: int) -> Iterator[str]:
    if {WHO, VALUE} - set(told.column_names):
        yield f"gives no table of {WHO} and {VALUE}"
        return
    who, value = told[WHO], told[VALUE]
    if not pa.types.is_integer(who.type) or not _is_number(value.type):
        yield f"gives a {WHO} that is not a whole number, or a {VALUE} that is none"
    elif who.null_count or value.null_count:
        yield "gives a row without a subject or a value"
    elif len(pc.unique(who)) != len(who):
        yield "gives more than one row for a subject"
    elif len(who) and not (pc.min(who).as_py() >= 0 and pc.max(who).as_py() < many):
        yield "gives a row for nobody"
    elif len(value) and not np.all(np.abs(np.asarray(value.cast(pa.float64()).to_numpy())) <= LARGEST):
        yield f"gives a number that is not finite, or beyond {LARGEST:g}"


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )
