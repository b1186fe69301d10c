"""DVC is given what it would have parsed itself, and a file that changed is parsed again."""

from __future__ import annotations

from pathlib import Path

import pytest
from dvc.dependency import param
from dvc.fs import localfs
from dvc.utils import strictyaml

from twinops.adapters.dvc.parsed_once import parsed_once

TEXT = """
months: [2017-01, 2017-02]
own: {shop: {2017-01: {sha256: ab, net: {of: [1, 2]}}}}
train: {activity_c: 0.5, none: null}
"""
KEYS = ("own.shop.2017-01.sha256", "own.shop.2017-01.net", "train", "train.activity_c", "train.none", "months")
SOUGHT = ("own.*.2017-01.sha256", "months.1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    return path


def read(file: Path, *keys: str) -> dict[str, object]:
    found: dict[str, object] = param.read_param_file(localfs, str(file), list(keys), flatten=True)
    return found


@pytest.mark.parametrize("keys", [KEYS, SOUGHT, ("nothing.there",), ("train", "nothing", "months.0"), ()])
def test_what_is_found_is_what_dvc_finds(file: Path, keys: tuple[str, ...]) -> None:
    alone = read(file, *keys)
    with parsed_once():
        assert read(file, *keys) == alone
        assert read(file, *keys) == alone
    assert read(file, *keys) == alone


def test_a_file_is_parsed_once_until_it_changes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed, parse = [], param.load_path

    def counting(path: str, *more: object, **how: object) -> object:
        parsed.append(path)
        return parse(path, *more, **how)

    monkeypatch.setattr(param, "load_path", counting)
    with parsed_once():
        for key in KEYS:
            read(file, key)
        assert len(parsed) == 1
        file.write_text(TEXT.replace("0.5", "0.75"))
        assert read(file, "train.activity_c") == {"train.activity_c": 0.75}
    assert len(parsed) == 2


def test_a_file_that_is_named_in_two_ways_is_parsed_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed, parse = [], strictyaml.parse_yaml
    monkeypatch.setattr(strictyaml, "parse_yaml", lambda text, path, typ: parsed.append(path) or parse(text, path, typ))
    monkeypatch.chdir(file.parent)
    with parsed_once():
        assert strictyaml.load(str(file)) == strictyaml.load(file.name)
    assert len(parsed) == 1


def test_whoever_changes_what_was_parsed_changes_it_for_nobody_else(file: Path) -> None:
    with parsed_once():
        for given in (lambda: strictyaml.load(str(file))[0], lambda: read(file, "own", "train")):
            given()["own"]["shop"].clear()
            assert "2017-01" in given()["own"]["shop"]
