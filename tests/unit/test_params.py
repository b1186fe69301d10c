from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from twinops.errors import ParamsError
from twinops.params import Params, parse, read

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def changed(dotted: str, value: Any) -> dict[str, Any]:
    raw = copy.deepcopy(SHIPPED)
    *sections, key = dotted.split(".")
    place = raw
    for section in sections:
        place = place[section]
    place[key] = value
    return raw


def test_the_shipped_file_is_valid_and_frozen() -> None:
    params = read(ROOT / "params.yaml")
    assert isinstance(params, Params)
    with pytest.raises(ValueError, match="frozen"):
        params.train = None  # type: ignore[assignment, misc]


def test_every_mistake_is_told_at_once() -> None:
    raw = changed("features.step_days", "often")
    raw["train"]["learning_rate"] = 0.1
    raw["consent"]["excluded_share"] = 1.5
    del raw["vault"]
    with pytest.raises(ParamsError) as told:
        parse(raw)
    for mistake in ("features.step_days", "train.learning_rate", "consent.excluded_share", "vault"):
        assert mistake in str(told.value)
    assert told.value.exit_code == 2


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("evaluate.cutoffs", [254]),
        ("fairness.cutoff", 225),
        ("drift.current_cutoff", 1),
        ("subject.one", "<b>"),
        ("subject.many", ""),
        ("months", ["2017-13"]),
        ("months", ["2017-02", "2017-01"]),
        ("months", []),
        ("documents.model", "../twin"),
        ("compute.memory", "all of it"),
        ("compute.memory", "0GB"),
        ("evaluate.draws", True),
        ("features.first_cutoff", 400),
        ("train.spend_alpha", float("nan")),
        ("vault.keys", "none"),
    ],
)
def test_what_cannot_be_acted_on_is_refused(dotted: str, value: Any) -> None:
    with pytest.raises(ParamsError):
        parse(changed(dotted, value))


@pytest.mark.parametrize(
    "content", [b"", b"[1, 2]", b"a: b: c", b"\xff\xfe\x00", b"!!python/object/apply:os.system ['true']"]
)
def test_a_file_that_is_not_ours_is_refused_with_a_hint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParamsError) as told:
        read(path)
    assert told.value.hint


def test_a_key_given_twice_is_refused_with_every_place_and_none_wins_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    shipped = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path.write_text(shipped + "train: {activity_c: 2.0, activity_c: 3.0, spend_alpha: 0.001}\n", encoding="utf-8")
    last = len(path.read_text(encoding="utf-8").splitlines())
    first = 1 + next(n for n, line in enumerate(shipped.splitlines()) if line.startswith("train:"))
    with pytest.raises(ParamsError, match="would win") as told:
        read(path)
    assert f"train (lines {first}, {last})" in str(told.value)
    assert f"train.activity_c (lines {last}, {last})" in str(told.value)
    assert told.value.exit_code == 2


def test_one_key_in_two_sections_or_through_an_anchor_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    shipped = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = shipped.replace("cutoffs: [253, 281, 309, 337]", "cutoffs: &days [253, 281, 309, 337]")
    path.write_text(text, encoding="utf-8")
    assert read(path) == read(ROOT / "params.yaml")
    path.write_text("a: &a [*a]\n", encoding="utf-8")
    with pytest.raises(ParamsError):
        read(path)


def test_a_missing_file_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"no params\.yaml"):
        read(tmp_path / "params.yaml")


def test_pins_watched_by_dvc_are_those_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    may = {told.name: told.specifier for told in map(Requirement, declared)}
    watched = yaml.safe_load((ROOT / "pins.yaml").read_text(encoding="utf-8"))
    assert [name for name, version in watched.items() if not may[name].contains(version)] == []
