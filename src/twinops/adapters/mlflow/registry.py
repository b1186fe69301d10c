"""The model registry in the project's own MLflow: one version per key, made from the model file without any pickle."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from twinops.adapters.mlflow.described import NEEDS
from twinops.adapters.mlflow.embedded import KEY, MlflowStore
from twinops.adapters.mlflow.tracking import MlflowTracking

FOLDER, TASTES = "model", "tastes"
NO_PARAMS: Mapping[str, str] = {}
VERSION_OF = """
SELECT version.version FROM model_versions AS version
JOIN model_version_tags AS tag ON tag.name = version.name AND tag.version = version.version
WHERE version.name = ? AND tag.key = ? AND tag.value = ? AND version.current_stage <> 'Deleted_Internal'
ORDER BY version.version
"""
DESCRIBED = "SELECT description FROM model_versions WHERE name = ? AND version = ?"
TAGGED = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?"


class MlflowRegistry:
    """Keeps the Registry port's promises with MLflow on SQLite."""

    def __init__(self, root: Path) -> None:
        self._store = MlflowStore(root)

    def find(self, name: str, key: str) -> str | None:
        """The version registered for this key. Read from the database: MLflow itself takes seconds to load."""
        rows = self._store.peek(VERSION_OF, name, KEY, key)
        if rows is None:
            return self._search(self._store.client(), name, key)
        return str(rows[0][0]) if rows else None

    def register(self, name: str, *, key: str, run_id: str, model: Path, tags: Mapping[str, str]) -> str:
        """Put the model into its run, then make the version; one that this key has already is returned."""
        with self._store.alone():
            client = self._store.client()
            known = self._search(client, name, key)
            if known is not None:
                return known
            _ensure(client, name)
            source = _put(client, run_id, model)
            made = client.create_model_version(name, source, run_id=run_id, tags={**tags, KEY: key})
            return str(made.version)

    def describe(self, name: str, version: str, *, description: str, tags: Mapping[str, str]) -> None:
        """Replace description and tags where they differ; MLflow is not loaded when nothing does."""
        told = self._store.peek(DESCRIBED, name, version)
        tagged = self._store.peek(TAGGED, name, version)
        if (
            told == [(description,)]
            and tagged is not None
            and tags.items() <= {str(k): str(v) for k, v in tagged}.items()
        ):
            return
        with self._store.alone():
            client = self._store.client()
            if self._store.server:
                return  # the server describes a version itself, from the gate runner's evidence
            client.update_model_version(name, version, description=description)
            for tag, value in tags.items():
                client.set_model_version_tag(name, version, tag, value)

    def _search(self, client: Any, name: str, key: str) -> str | None:
        if not self._store.server:
            return _lowest(client.search_model_versions(f"name = '{name}' and tags.`{KEY}` = '{key}'"))
        # a governed registry takes no tag of ours from a caller
        runs = ", ".join(f"'{run.info.run_id}'" for run in MlflowTracking(self._store.root).runs(client, key))
        return _lowest(client.search_model_versions(f"name = '{name}' and run_id IN ({runs})")) if runs else None


def _lowest(found: Any) -> str | None:
    return str(min(int(v.version) for v in found)) if found else None


def _ensure(client: Any, name: str) -> None:
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(
            name, description="Consumer twin: what a consumer is expected to do in the coming weeks."
        )


def _put(client: Any, run_id: str, model: Path) -> str:
    """Write the pyfunc folders, the model's and that of its tastes, into the run; return where the model's lies."""
    with tempfile.TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as folder:
        for name, path in ((FOLDER, model), (TASTES, model.with_name("tastes.json"))):
            written = Path(folder) / name
            if path.is_file() and save(path, written):
                client.log_artifacts(run_id, str(written), artifact_path=name)
    return f"{client.get_run(run_id).info.artifact_uri}/{FOLDER}"


def save(model: Path, into: Path) -> bool:
    """An MLflow model whose loader is our own module and whose data is the JSON file: nothing in it can be executed.

    False: the file holds no head for categories, so there is nothing to save.
    """
    import mlflow.pyfunc

    from twinops.adapters.mlflow import tastes_flavour, twin_flavour

    if model.name == twin_flavour.TASTES:
        tasting = twin_flavour.taste_predictor(model)
        if tasting is None:
            return False
        state = twin_flavour.states()
        told: tuple[Mapping[str, str], ...] = tastes_flavour.taken(tasting.tastes), tastes_flavour.given(tasting.tastes)
        shown: Any = tastes_flavour.example(tasting.tastes, state)
    else:
        held = twin_flavour.predictor(model).model
        told = twin_flavour.taken(held), twin_flavour.given(held), twin_flavour.parameters()
        shown = twin_flavour.example(held), {twin_flavour.PURPOSE: "twin_scoring"}
    mlflow.pyfunc.save_model(
        path=into,
        loader_module=twin_flavour.__name__,
        data_path=str(model),
        signature=_signature(*told),
        input_example=shown,
        pip_requirements=[f"{package}=={installed(package)}" for package in NEEDS],
    )
    return True


def _signature(taken: Mapping[str, str], given: Mapping[str, str], params: Mapping[str, str] = NO_PARAMS) -> Any:
    """Said, not guessed from the example. Of purchase lines only the id must be there: alone it asks for a twin."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    from twinops.adapters.mlflow import twin_flavour

    needed = {twin_flavour.REQUIRED} if params else set(taken)
    inputs = Schema([ColSpec(kind, name, required=name in needed) for name, kind in taken.items()])
    outputs = Schema([ColSpec(kind, name) for name, kind in given.items()])
    if not params:
        return ModelSignature(inputs=inputs, outputs=outputs)
    said = ParamSchema([ParamSpec(name, "string", default) for name, default in params.items()])
    return ModelSignature(inputs=inputs, outputs=outputs, params=said)
