"""The ledger of runs in the project's own MLflow: exactly one run per key, found again by its tag."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinops.adapters.mlflow.embedded import KEY, MlflowStore

EXPERIMENT = "twinops"
_NO_NAME = re.compile(r"[^\w. :-]")
_LONGEST = 200
SHARED = "twinops-shared"
"""The experiment on a registry server, whose artifacts the server keeps; one made by a single user lies in a folder."""
TAGS_OF = """
SELECT run.run_uuid, tag.key, tag.value
FROM runs AS run JOIN tags AS mine ON mine.run_uuid = run.run_uuid JOIN tags AS tag ON tag.run_uuid = run.run_uuid
WHERE mine.key = ? AND mine.value = ? AND run.lifecycle_stage = 'active' AND run.status = 'FINISHED'
"""


class MlflowTracking:
    """Keeps the Tracking port's promises with MLflow on SQLite."""

    def __init__(self, root: Path) -> None:
        self._store = MlflowStore(root)

    def find(self, key: str, *, tags: Mapping[str, str] | None = None) -> str | None:
        """The finished run with this key and these tags. Read from the database: MLflow takes seconds to load."""
        rows = self._store.peek(TAGS_OF, KEY, key)
        if rows is None:
            runs = self.runs(self._store.client(), key)
            return next((r.info.run_id for r in runs if (tags or {}).items() <= r.data.tags.items()), None)
        found: dict[str, dict[str, str]] = {}
        for run_id, name, value in rows:
            found.setdefault(run_id, {})[name] = value
        return next((run_id for run_id, has in sorted(found.items()) if (tags or {}).items() <= has.items()), None)

    def page(self, run_id: str) -> str:
        """The run's page in MLflow's own address space."""
        rows = self._store.peek("SELECT experiment_id FROM runs WHERE run_uuid = ?", run_id)
        return f"#/experiments/{rows[0][0]}/runs/{run_id}" if rows else f"#/runs/{run_id}"

    def record(
        self,
        *,
        key: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        files: Mapping[str, Path],
    ) -> str:
        """Begin the run or take up the newest that has this key, also one that was cut off; fill it; finish it.

        One that stands behind a judged version stays as it was judged: another is begun.
        """
        with self._store.alone():
            client = self._store.client()
            run = next(iter(self.runs(client, key)), None) or self._begin(client, key)
            if not _filled(client, run, params=params, metrics=metrics, tags=tags):
                run = self._begin(client, key)
                _fill(client, run, params=params, metrics=metrics, tags=tags)
            run_id: str = run.info.run_id
            for place, path in files.items():
                _log(client, run_id, place, path)
            client.set_terminated(run_id)
            return run_id

    @property
    def _experiment(self) -> str:
        return SHARED if self._store.server else EXPERIMENT

    def runs(self, client: Any, key: str) -> list[Any]:
        """Every run of this key, newest first."""
        experiment = client.get_experiment_by_name(self._experiment)
        if experiment is None:
            return []
        return list(
            client.search_runs(
                [experiment.experiment_id], f"tags.`{KEY}` = '{key}'", order_by=["attributes.start_time DESC"]
            )
        )

    def _begin(self, client: Any, key: str) -> Any:
        experiment = client.get_experiment_by_name(self._experiment)
        place = None if self._store.server else (self._store.artifacts / EXPERIMENT).as_uri()
        number = (
            experiment.experiment_id
            if experiment
            else client.create_experiment(self._experiment, artifact_location=place)
        )
        return client.create_run(number, run_name=f"candidate {key[:12]}", tags={KEY: key})


def _filled(client: Any, run: Any, **what: Any) -> bool:
    """False: it may not be edited, says a server's rule or the trigger that it left in the database."""
    from mlflow.exceptions import MlflowException

    try:
        _fill(client, run, **what)
    except MlflowException as problem:
        if "twinops: " not in str(problem):
            raise
        return False
    return True


def _fill(
    client: Any, run: Any, *, params: Mapping[str, Any], metrics: Mapping[str, float], tags: Mapping[str, str]
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    known = run.data
    named = {param_name(name): str(value) for name, value in params.items()}
    new_params = [Param(name, value) for name, value in named.items() if name not in known.params]
    new_metrics = [Metric(n, v, run.info.start_time, 0) for n, v in metrics.items() if known.metrics.get(n) != v]
    new_tags = [RunTag(name, value) for name, value in tags.items() if known.tags.get(name) != value]
    client.log_batch(run.info.run_id, metrics=new_metrics, params=new_params, tags=new_tags)


def param_name(name: str) -> str:
    """The name as MLflow takes it: words of a shop's files stand in some, with signs that it refuses.

    >>> param_name("train.activity_c"), param_name("own.optins.codes.offers?")
    ('train.activity_c', 'own.optins.codes.offers_:5fa2')
    """
    taken = _NO_NAME.sub("_", name)[:_LONGEST]
    # two names stay two
    return name if taken == name else f"{taken}:{hashlib.sha256(name.encode()).hexdigest()[:4]}"


def _log(client: Any, run_id: str, place: str, path: Path) -> None:
    if path.is_dir():
        client.log_artifacts(run_id, str(path), artifact_path=place)
        return
    folder, _, name = place.rpartition("/")
    if name != path.name:
        raise ValueError(f"a file keeps its name in the run: {place} is not {path.name}")
    client.log_artifact(run_id, str(path), artifact_path=folder or None)
