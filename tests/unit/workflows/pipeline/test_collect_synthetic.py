"""Synthetic sources around the shipped households: in real formats, sealed, switchable, with the truth kept apart."""

from __future__ import annotations

import json
from datetime import date

import pytest
import small_world
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_sealed
from twinops.errors import ParamsError
from twinops.params import IdentitiesParams, SourcesParams, SwitchesParams, SyntheticParams
from twinops.workflows.pipeline.collect_synthetic import FILES, collect_synthetic
from twinops.workflows.places import Places

AS_OF = date(2018, 1, 1)
each = pytest.mark.parametrize("source", FILES)


def collected(folder, source, **changes):
    """The project's places, its keys and what was collected."""
    keys, places = MemoryKeys(), Places(folder)
    given = {
        "sources": SourcesParams(sample=15),
        "people": IdentitiesParams(),
        "made_up": SyntheticParams(panelists=100),
        "as_of": AS_OF,
    }
    done = supplied(
        collect_synthetic, source, places=places, engine=DuckDBEngine(threads=1), keys=keys, **{**given, **changes}
    )
    return places, keys, done


@each
def test_a_synthetic_source_is_collected_and_counted_whole(tmp_path, source):
    places, keys, done = collected(tmp_path, source)
    assert done.taken > 0
    assert done.in_file == done.taken + sum(done.quarantined.values()) + sum(done.left_out.values())
    assert read_sealed(places.raw(source, "all"), dataset=source, keys=keys).num_rows == done.taken
    assert json.loads(places.counts(source, "all").read_text("utf-8"))["off"] is False


@each
def test_a_source_that_is_off_leaves_an_empty_file_and_says_so(tmp_path, source):
    places, keys, done = collected(tmp_path, source, on=SwitchesParams({source: False}))
    assert (done.off, done.read, done.taken) == (True, 0, 0)
    for name, path in ((source, places.raw(source, "all")), (f"truth_{source}", places.truth(source))):
        assert read_sealed(path, dataset=name, keys=keys).num_rows == 0


@each
def test_households_of_your_own_get_nothing_made_up(tmp_path, source):
    empty = tmp_path / "mine"
    empty.mkdir()
    _, _, without = collected(tmp_path / "a", source, sources=SourcesParams(folder=str(empty)))
    assert (without.off, without.read) == (False, 0)
    small_world.write_people(empty, households=12)
    places, keys, done = collected(tmp_path / "b", source, sources=SourcesParams(folder=str(empty)))
    assert done.taken > 0
    assert read_sealed(places.truth(source), dataset=f"truth_{source}", keys=keys).num_rows == 0


def test_the_truth_names_every_text_that_entered_as_it_is_sealed(tmp_path):
    places, keys, done = collected(tmp_path, "social_comments", sources=SourcesParams(sample=60))
    rows = read_sealed(places.raw("social_comments", "all"), dataset="social_comments", keys=keys)
    truth = read_sealed(places.truth("social_comments"), dataset="truth_social_comments", keys=keys)
    meant = {r["event_id"]: (r["sid"], r["fate"]) for r in truth.to_pylist()}
    assert done.taken == rows.num_rows > 20
    assert all(meant[r["event_id"]] == (r["sid"], "enters") for r in rows.to_pylist())


def test_nothing_is_written_on_the_as_of_day_or_later(tmp_path):
    _, _, done = collected(tmp_path, "care_cases", sources=SourcesParams(sample=60), as_of=date(2017, 6, 1))
    assert done.newest_day < (date(2017, 6, 1) - date(2017, 1, 1)).days


def test_a_source_nobody_makes_up_is_refused(tmp_path):
    with pytest.raises(ParamsError):
        collected(tmp_path, "weather")
