"""What a model folder says of itself: which one file its loader opens, and that nothing needless lies beside it.

What was judged must be what runs, whoever loads it and how: by our loader, or by stock MLflow through any flavour. So
all flavours name one file, and there is no other model, code, or list of packages that a client would install from
somewhere else. Nothing of the model is executed or even parsed here but its descriptions: bounded, plain YAML.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from twinops.errors import ParamsError
from twinops.governance.reading import MAX_BYTES, parse

DESCRIPTION = "MLmodel"
TWIN, LIGHTGBM = "twinops.adapters.mlflow.twin_flavour", "mlflow.lightgbm"
LOADERS = {TWIN: ".json", LIGHTGBM: ".lgb"}
"""Who may read the model's data, and what its file ends with. Both read text; neither unpickles."""
NEEDS = ("mlflow", "numpy", "pandas", "pyarrow", "pydantic", "PyYAML", "zstandard")
"""Packages that a client needs to load the twin; `register` writes them with the versions that made it."""
_PACKAGES = {*NEEDS, "lightgbm", "scipy", "scikit-learn"}
_PINNED = re.compile(r"(?P<name>[A-Za-z0-9-]+)==[0-9]+(\.[0-9]+)*((a|b|rc|\.post)[0-9]+)?")
_BUILDS = re.compile(r"(pip|setuptools|wheel)((==|<=)[0-9.]+)?")
_PYTHON = re.compile(r"(python=)?3\.[0-9]+\.[0-9]+")
_PLACE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)?")
REQUIREMENTS, CONDA, PYTHON_ENV = "requirements.txt", "conda.yaml", "python_env.yaml"
_EXAMPLES = {"artifact_path": "input_example.json", "serving_input_path": "serving_input_example.json"}
_FLAVOURS = {TWIN: {"python_function"}, LIGHTGBM: {"python_function", "lightgbm"}}
_PYFUNC = {"loader_module", "data", "env", "python_version", "streamable"}
_BOOSTER = {"data", "lgb_version", "model_class", "serialization_format", "skops_trusted_types"}
_ENV = {"conda": CONDA, "virtualenv": PYTHON_ENV}
_ANEW = "Save the model anew."
_TELLS = {
    "flavors", "artifact_path", "run_id", "model_id", "model_uuid", "mlflow_version", "utc_time_created", "signature",
    "model_size_bytes", "saved_input_example_info", "is_signature_from_type_hint", "type_hint_from_example",
}  # fmt: skip
"""What a description may hold. Anything else there is empty: what MLflow makes of it, nobody judged."""


def dangers(folder: Path, names: Collection[str]) -> tuple[str, ...]:
    """Why this folder, which holds files of these names, may not be loaded; nothing when it may."""
    if DESCRIPTION not in names:
        return ("It has no MLmodel file that describes it.",)
    try:
        told = _read(folder, DESCRIPTION)
    except ParamsError as problem:
        return (problem.what,)
    flavours = told.get("flavors") if isinstance(told, Mapping) else None
    pyfunc = flavours.get("python_function") if isinstance(flavours, Mapping) else None
    if not isinstance(flavours, Mapping) or not isinstance(pyfunc, Mapping):
        return ("It has no python_function flavour.",)
    found = (*_against_more(told, _TELLS), *_against_flavours(flavours, pyfunc), *_against_example(told))
    return found or tuple(_against_files(folder, names, pyfunc["data"]))


def data_file(folder: Path) -> tuple[str, str]:
    """The loader's name and, below the folder, the one file it opens; asked after `dangers` found none."""
    told = _read(folder, DESCRIPTION)["flavors"]["python_function"]
    return told["loader_module"], told["data"]


def _read(folder: Path, name: str) -> Any:
    try:
        with (folder / name).open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) <= MAX_BYTES:
            return parse(text.decode(), name=name)
    except OSError:
        raise ParamsError(f"Its {name} file is gone.", hint="Register it anew.") from None
    except (ParamsError, ValueError):
        raise ParamsError(f"Its {name} file is not plain YAML with each key once.", hint=_ANEW) from None
    raise ParamsError(f"Its {name} file is too long to be a description.", hint=_ANEW)


def _against_more(told: Mapping[Any, Any], known: Collection[str]) -> Iterator[str]:
    """What is empty asks for nothing."""
    extra = sorted(str(key)[:80] for key, value in told.items() if key not in known and value not in (None, (), {}))
    if extra:
        yield f"Its description asks for more than a loader and data: {', '.join(extra)}."


def _against_flavours(flavours: Mapping[Any, Any], pyfunc: Mapping[Any, Any]) -> Iterator[str]:
    loader, data = pyfunc.get("loader_module"), pyfunc.get("data")
    yield from _against_more(pyfunc, _PYFUNC)
    if not isinstance(loader, str) or loader not in LOADERS:
        yield f"It asks to be loaded by {str(loader)[:80]!r}, which is not among {', '.join(sorted(LOADERS))}."
        return
    if set(flavours) != _FLAVOURS[loader]:
        yield f"It has flavours that may load something else: {', '.join(sorted(map(str, flavours)))[:200]}."
    if not isinstance(data, str) or not _PLACE.fullmatch(data) or not data.endswith(LOADERS[loader]):
        yield "Its data is not one text file inside the model."
    elif loader == LIGHTGBM:
        yield from _against_booster(flavours.get("lightgbm"), data)
    env = pyfunc.get("env")
    if env is not None and env != CONDA and not (isinstance(env, Mapping) and env.items() <= _ENV.items()):
        yield "Its environment is described in other files than MLflow's own."


def _against_booster(told: Any, data: str) -> Iterator[str]:
    """MLflow reads the file that this flavour names, beside MLmodel, whatever the other flavour names."""
    if not isinstance(told, Mapping) or told.get("data") != data or "/" in data:
        yield "Its flavours name different files."
        return
    yield from _against_more(told, _BOOSTER)
    if told.get("model_class") != "lightgbm.basic.Booster":
        yield "Its LightGBM flavour is not a Booster in text, so loading it would unpickle."


def _against_example(told: Mapping[Any, Any]) -> Iterator[str]:
    info = told.get("saved_input_example_info")
    if info is not None and not (
        isinstance(info, Mapping) and all(info.get(k) in (None, name) for k, name in _EXAMPLES.items())
    ):
        yield "Its input example is kept in another file than MLflow's own."


def _against_files(folder: Path, names: Collection[str], data: str) -> Iterator[str]:
    if data not in names:
        yield f"The file that it is to be loaded from, {data}, is not there."
    needed = {DESCRIPTION, data, REQUIREMENTS, CONDA, PYTHON_ENV, *_EXAMPLES.values()}
    extra = sorted(set(names) - needed)
    if extra:
        yield f"It holds files that its loader does not need: {', '.join(extra[:5])[:300]}."
    for name, fits in ((REQUIREMENTS, _pins), (CONDA, _conda), (PYTHON_ENV, _python_env)):
        if name in names and not _fits(folder, name, fits):
            yield f"Its {name} asks a client for more than versions of {', '.join(sorted(_PACKAGES))}."


def _fits(folder: Path, name: str, fits: Any) -> bool:
    try:
        told = _read(folder, name) if name != REQUIREMENTS else tuple(_lines(folder / name))
        return bool(fits(told))
    except (ParamsError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _lines(path: Path) -> list[str]:
    with path.open(encoding="ascii") as file:
        return file.read(10_000).splitlines()


def _pins(told: Any) -> bool:
    """Names we know, each once with one version: no index, address, file, option or marker."""
    found = [_PINNED.fullmatch(one) for one in told]
    known = [one["name"] for one in found if one and one["name"] in _PACKAGES]
    return len(known) == len(found) == len(set(known))


def _conda(told: Any) -> bool:
    """As MLflow writes it."""
    python, pip, packages = told["dependencies"]
    plain = set(told) == {"channels", "dependencies", "name"} and told["channels"] == ("conda-forge",)
    built = _PYTHON.fullmatch(python) and _BUILDS.fullmatch(pip)
    return bool(
        plain and told["name"] == "mlflow-env" and built and set(packages) == {"pip"} and _pins(packages["pip"])
    )


def _python_env(told: Any) -> bool:
    """As MLflow writes it."""
    builds = all(_BUILDS.fullmatch(one) for one in told["build_dependencies"])
    rest = told["dependencies"] == (f"-r {REQUIREMENTS}",) and _PYTHON.fullmatch(str(told["python"]))
    return bool(set(told) == {"python", "build_dependencies", "dependencies"} and builds and rest)
