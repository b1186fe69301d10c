"""The one home of Splink: draws u, runs EM, scores pairs on a DuckDB in memory, one thread, no extension, offline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from twinops.data.linkage.comparisons import COMPARISONS
from twinops.data.linkage.model import Levels, Model

if TYPE_CHECKING:
    from splink import Linker

AT_A_TIME = 1_000_000
"""Pairs that are scored together: bounds the memory."""

# no temporary directory: names and addresses must not spill to disk in the clear
_QUIET = """
SET threads = 1; SET memory_limit = '3GB'; SET temp_directory = '';
SET enable_progress_bar = false; SET python_enable_replacements = false;
SET autoinstall_known_extensions = false; SET autoload_known_extensions = false; SET allow_community_extensions = false
"""


_BLOCKED = ["match_key", "join_key_l", "join_key_r"]
"""Columns of the candidate pairs, as Splink calls them."""


@dataclass(frozen=True)
class Drawing:
    """How many pairs are drawn for u and for each EM run, and the seed; `lone` sources hold nobody twice."""

    seed: int
    u_pairs: int = 1_000_000
    em_pairs: int = 500_000
    lone: tuple[str, ...] = ()


@dataclass(frozen=True)
class SplinkRun:
    """Splink with some records on it."""

    api: Any
    frame: Any
    numbers: Iterator[int] = field(default_factory=count)

    def drawn_u(self, drawing: Drawing) -> Levels:
        """Share of random pairs that reach each level."""
        linker = self._linker(_settings(0.0001))
        linker.training.estimate_u_using_random_sampling(max_pairs=drawing.u_pairs, seed=drawing.seed, num_chunks=1)
        return _read(linker, "u_probability", otherwise=1 / drawing.u_pairs)

    def em(self, start: Model, block: tuple[str, ...], drawing: Drawing) -> Levels:
        """M by expectation maximisation over the pairs that share the block's columns; 0 where nothing was observed.

        A column that is empty everywhere, or in which no two agree, makes no pair, and so tells nothing.
        """
        from splink import block_on
        from splink.internals.exceptions import EMTrainingException

        linker = self._linker(_with(start))
        train = linker.training.estimate_parameters_using_expectation_maximisation
        try:
            train(block_on(*block), max_pairs=drawing.em_pairs)
        except EMTrainingException:
            return {}
        return _read(linker, "m_probability", otherwise=0.0)

    def scored(self, model: Model, pairs: pa.Table, *, least_bits: float) -> Iterator[pa.Table]:
        """Pairs with a match weight of at least so many bits, in order, a part of them at a time: `left_id, right_id,
        match_weight` and the weight of each comparison's level.
        """
        names = ", ".join(f"mw_{c.name} AS {c.name}" for c in COMPARISONS)
        for start in range(0, pairs.num_rows, AT_A_TIME):
            with self._predicted(model, pairs.slice(start, AT_A_TIME), least_bits) as table:
                columns = f"id_l AS left_id, id_r AS right_id, match_weight, {names}"
                yield self._query(f"SELECT {columns} FROM {table} ORDER BY id_l, id_r")  # noqa: S608  (own names only)

    def patterns(self, model: Model, pairs: pa.Table) -> pa.Table:
        """How often each combination of level weights occurs among the pairs."""
        names = ", ".join(f"mw_{c.name} AS {c.name}" for c in COMPARISONS)
        with self._predicted(model, pairs, None) as table:
            return self._query(f"SELECT {names}, COUNT(*) AS pairs FROM {table} GROUP BY ALL ORDER BY ALL")  # noqa: S608  (own names only)

    def _query(self, sql: str) -> pa.Table:
        return self.api.duckdb_con.sql(sql).to_arrow_table()

    def _linker(self, settings: dict[str, Any]) -> Linker:
        from splink import Linker

        return Linker(self.frame, settings, log_level=logging.ERROR, validate_settings=False)  # they are ours

    @contextmanager
    def _predicted(self, model: Model, pairs: pa.Table, least_bits: float | None) -> Iterator[str]:
        """Name of the table Splink scored; it is dropped afterwards."""
        linker = self._linker(_with(model))
        keyed = pa.table([pa.repeat("0", pairs.num_rows), pairs["left_id"], pairs["right_id"]], names=_BLOCKED)
        known = self.api.register(keyed, dataset_display_name=f"candidates_{next(self.numbers)}")
        linker.table_management.register_blocked_pairs_for_predict(known)
        found = linker.inference.predict(threshold_match_weight=least_bits, warning_mode="never")
        try:
            yield found.physical_name
        finally:
            found.drop_table_from_database_and_remove_from_cache()
            self.api.duckdb_con.unregister(known.physical_name)


@contextmanager
def splink_with(records: pa.Table) -> Iterator[SplinkRun]:
    """Splink with these records; gone afterwards with everything it made."""
    from splink import DuckDBAPI

    api = DuckDBAPI(":memory:")
    api.duckdb_con.execute(_QUIET)
    try:
        yield SplinkRun(api, api.register(records, dataset_display_name="records"))
    finally:
        api.duckdb_con.close()


def _settings(prior: float) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "comparisons": [c.splink() for c in COMPARISONS],
        "probability_two_random_records_match": prior,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "linker_uid": "twinops",
    }


def _with(model: Model) -> dict[str, Any]:
    """The settings with a model's m and u."""
    settings = _settings(model.prior)
    for comparison in settings["comparisons"]:
        name = comparison["output_column_name"]
        for level, m, u in zip(comparison["comparison_levels"][1:], model.m[name], model.u[name], strict=True):
            level |= {"m_probability": m, "u_probability": u}
    return settings


def _read(linker: Linker, key: str, *, otherwise: float) -> Levels:
    """M or u of every comparison out of Splink's own record; what it could not observe gets the given value."""
    found = linker.misc.save_model_to_json()["comparisons"]
    return {
        c["output_column_name"]: tuple(
            v if isinstance(v := level.get(key), float) else otherwise for level in c["comparison_levels"][1:]
        )
        for c in found
    }
