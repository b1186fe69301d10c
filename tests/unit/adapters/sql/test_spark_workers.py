"""What the executors of Spark do with rows of the driver: sum and seal them, to the same digits and bytes.

Spark is not installed by default: `make test-spark` fetches it, and Java 17 where it may.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spark_cluster import CONF
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.elsewhere import working_on
from twinops.data.vault import seal
from twinops.data.vault.blocks import Block
from twinops.errors import ServiceError
from twinops.twin.model import block_sums
from twinops.twin.model.glm import Head, fit_activity, fit_rate, fit_visits

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="PySpark is not installed: twinops[spark]"),
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no java on the path; Spark 4 needs Java 17"),
]


@pytest.fixture(scope="module")
def spilled(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("spilled")


@pytest.fixture(scope="module")
def spark(spilled):
    from twinops.adapters.sql.spark_engine import SparkEngine

    os.environ["SPARK_CONF_DIR"], os.environ["SPARK_LOCAL_DIRS"] = str(CONF), str(spilled)
    engine = SparkEngine(master="local[2]")
    yield engine
    engine.close()
    del os.environ["SPARK_LOCAL_DIRS"]


def heads(n: int = 2_000) -> list[Head]:
    rng = np.random.default_rng(5)
    z = rng.normal(size=(n, 4))
    rate = np.exp(z @ np.array([0.4, -0.3, 0.0, 0.2]))
    came, spent = rng.random(n) < 1 - np.exp(-rate), rng.gamma(2.0, rate)
    visits = fit_visits(z, came.astype(float), c=1.0)
    return [visits, fit_activity(z, came, c=1.0), fit_rate(z, spent, alpha=1e-3)]


def test_the_executors_sum_the_rows_of_a_regression_and_its_weights_are_those_of_one_machine(spark, monkeypatch):
    whole = heads()
    monkeypatch.setattr(block_sums, "BLOCK_ROWS", 300)
    here = heads()
    monkeypatch.setattr(block_sums, "_here", lambda *_: pytest.fail("it was summed here"))
    with working_on(lambda: spark):
        there = heads()
    for one, other, unparted in zip(here, there, whole, strict=True):
        told = [np.array([head.intercept, *head.weights]) for head in (one, other, unparted)]
        assert np.abs(told[1] - told[0]).max() <= 1e-9 * np.abs(told[0]).max()
        assert np.abs(told[2] - told[0]).max() <= 1e-9 * np.abs(told[0]).max()


class Watched(MemoryKeys):
    """Notes for whom each was asked for keys at one time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[frozenset[str]] = []

    def subject_keys(self, sids):
        sids = list(sids)
        self.asked.append(frozenset(sids))
        return super().subject_keys(sids)


def lines(n: int = 3_000) -> pa.Table:
    rng = np.random.default_rng(6)
    return pa.table(
        {
            "who": [f"p{k}" for k in rng.integers(0, 200, n)],
            "cents": rng.integers(0, 10_000, n),
            "share": pa.array([None if k % 9 == 0 else k / 7 for k in range(n)]),
            "goods": [f"goods {k % 31}" for k in range(n)],
        }
    )


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(seal, "ROWS_AWAY", 150)
    monkeypatch.setattr(seal, "ROWS_AT_ONCE", 1_500)


def test_the_executors_seal_the_same_bytes_with_the_keys_of_their_own_subjects(
    spark, spilled, tmp_path, small_blocks, monkeypatch
):
    keys, table, path = Watched(), lines(), "lines.parquet"
    seal.write_sealed(table, tmp_path / "here" / path, dataset="lines", keys=keys, subject="who")
    everybody, keys.asked = frozenset(keys._keys), []
    monkeypatch.setattr(Block, "sealed", lambda *_: pytest.fail("it was sealed here"))
    with working_on(lambda: spark):
        seal.write_sealed(table, tmp_path / "there" / path, dataset="lines", keys=keys, subject="who")
    assert (tmp_path / "there" / path).read_bytes() == (tmp_path / "here" / path).read_bytes()
    # who has a key at all is asked here; then each executor asks for its own
    asked = keys.asked[1:]
    assert frozenset().union(*asked) == everybody
    assert sum(map(len, asked)) == len(everybody)
    assert max(map(len, asked)) < len(everybody) / 10
    written = [file.read_bytes() for file in spilled.rglob("*") if file.is_file()]
    assert not any(key in found for key in keys._keys.values() for found in written)


def test_keys_are_lent_of_those_who_are_sealed_alone_and_for_as_long_as_that_takes(spark):
    keys = MemoryKeys()
    sealed, other = keys.subject_ids(["a", "b"])
    with spark.lending(keys, [sealed]) as lent:
        assert lent.subject_keys([sealed, other]) == keys.subject_keys([sealed])
    with pytest.raises(ServiceError):
        lent.subject_keys([sealed])


def test_parts_are_sealed_by_the_executors_as_they_are_here(spark, tmp_path, small_blocks):
    keys = MemoryKeys()
    table = lines()
    table = table.set_column(0, "sid", pa.array(keys.subject_ids(table["who"].to_pylist()))).sort_by("sid")
    keys.forget(table["sid"][0].as_py())
    middle = table["sid"][1_500].as_py()
    parts = [table.filter(pa.array([left == (sid < middle) for sid in table["sid"].to_pylist()])) for left in (1, 0)]

    def sealed(folder: str) -> bytes:
        with seal.sealing(tmp_path / folder / "x.parquet", table.schema, dataset="x", keys=keys) as part:
            for some in parts:
                part(some)
        return (tmp_path / folder / "x.parquet").read_bytes()

    here = sealed("here")
    with working_on(lambda: spark):
        assert sealed("there") == here
