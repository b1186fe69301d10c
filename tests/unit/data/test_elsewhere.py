"""Rows are sealed and summed here, or by whoever works elsewhere while a command lasts; the answer is the same."""

from __future__ import annotations

import pickle
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.elsewhere import workers, working_on
from twinops.data.vault import seal
from twinops.twin.model import block_sums
from twinops.twin.model.glm import fit_rate


class NextDoor:
    """Workers of another process: what they are given was pickled, and rows come to them one at a time."""

    def __init__(self) -> None:
        self.done = 0

    def spread(self, table, work, *, gives):
        work, self.done = pickle.loads(pickle.dumps(work)), self.done + 1  # noqa: S301  (our own)
        return pa.concat_tables([work(table.slice(n, 1)) for n in range(table.num_rows)]).cast(gives)

    @contextmanager
    def held(self, table):
        # in another order than they were given
        turned = table.take(pa.array(range(table.num_rows))[::-1])
        yield lambda work, *, gives: self.spread(turned, work, gives=gives)

    @contextmanager
    def lending(self, keys, sids):
        lent = MemoryKeys()
        lent._keys = keys.subject_keys(sids)
        yield lent


def test_nobody_works_elsewhere_unless_a_command_asks_for_it():
    assert workers() is None
    other = NextDoor()
    with working_on(lambda: other):
        assert workers() is other
    assert workers() is None


def test_a_regression_has_the_same_digits_wherever_its_blocks_are_summed(monkeypatch):
    rng, other = np.random.default_rng(1), NextDoor()
    z = rng.normal(size=(1_000, 3))
    spent = rng.gamma(2.0, np.exp(z[:, 0] / 3))
    monkeypatch.setattr(block_sums, "BLOCK_ROWS", 300)
    here = fit_rate(z, spent, alpha=1e-3)
    with working_on(lambda: other):
        assert fit_rate(z, spent, alpha=1e-3) == here
    assert other.done > 1


def test_few_rows_do_not_travel(tmp_path):
    def nobody():
        raise AssertionError("somebody was asked for")

    with working_on(nobody):
        table = pa.table({"who": ["a", "b"], "cents": [1, 2]})
        seal.write_sealed(table, tmp_path / "x.parquet", dataset="x", keys=MemoryKeys(), subject="who")
        fit_rate(np.arange(6.0)[:, None], np.arange(6.0), alpha=1.0)


def test_blocks_are_sealed_to_the_same_file_wherever_that_is_done(tmp_path, monkeypatch):
    keys, other = MemoryKeys(), NextDoor()
    table = pa.table({"who": [f"p{k % 7}" for k in range(60)], "cents": range(60), "goods": ["x", None, "é"] * 20})
    monkeypatch.setattr(seal, "ROWS_AWAY", 20)
    monkeypatch.setattr(seal, "ROWS_AT_ONCE", 40)

    def sealed(name: str) -> bytes:
        path = tmp_path / name / "x.parquet"
        seal.write_sealed(table, path, dataset="x", keys=keys, subject="who")
        return path.read_bytes()

    here = sealed("here")
    with working_on(lambda: other):
        assert sealed("there") == here
    assert other.done == 2
