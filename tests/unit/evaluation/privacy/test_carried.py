"""A file that holds rows is told from a file that holds parameters, whatever its format."""

from __future__ import annotations

import io
import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from governed import candidate
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

from twinops.entities.evidence import Evidence
from twinops.evaluation.privacy.carried import Maker, carried, carried_findings
from twinops.governance.gates import carried as gate


def rows(n: int = 400) -> pa.Table:
    rng = np.random.default_rng(4)
    return pa.table({"a": rng.gamma(2, 30, n), "b": rng.random(n), "visits": rng.integers(0, 9, n)})


def arrays(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    return np.column_stack([table["a"], table["b"]]), np.asarray(table["visits"], dtype=float)


def fitted(model: object) -> Maker:
    return lambda table: pickle.dumps(model.fit(*arrays(table)))  # type: ignore[attr-defined]


def as_json(table: pa.Table) -> bytes:
    return json.dumps(table.to_pydict()).encode()


def as_parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="NONE", use_dictionary=False)
    return out.getvalue()


def parameters(table: pa.Table) -> bytes:
    return json.dumps(Ridge().fit(*arrays(table)).coef_.tolist()).encode()


CARRIERS = {
    "a nearest-neighbour model": fitted(KNeighborsRegressor(3)),
    "a Gaussian process": fitted(GaussianProcessRegressor(alpha=1.0)),
    "the table as JSON": as_json,
    "the table as Parquet": as_parquet,
}


@pytest.mark.parametrize("make", CARRIERS.values(), ids=CARRIERS.keys())
def test_a_file_that_is_its_training_table_fails(make: Maker) -> None:
    found = carried(make, rows(), seed=1)
    assert found.found > 0.9 * found.planted
    assert verdict(make) == "failed"


@pytest.mark.parametrize("make", [parameters, fitted(Ridge())], ids=["coefficients", "a pickled regression"])
def test_a_file_of_parameters_passes(make: Maker) -> None:
    found = carried(make, rows(), seed=1)
    assert found.found == 0
    assert verdict(make) == "passed"


def verdict(make: Maker) -> str:
    measures = carried_findings(carried(make, rows(), seed=1), source="s", seed=1).measures
    limits = gate.Limits(canaries_at_most=0.05, bytes_at_most=0.5)
    evidence: Evidence = candidate(measures=measures)
    return gate.check(evidence, limits).outcome.value


def test_the_same_seed_gives_the_same_answer() -> None:
    one, other = (carried(parameters, rows(), seed=7) for _ in range(2))
    assert (one.found, one.growth.tolist()) == (other.found, other.growth.tolist())
