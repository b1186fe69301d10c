from __future__ import annotations

from typing import Any

import pytest
from dvc.utils.serialize import dumps_yaml, loads_yaml

from twinops.adapters.dvc.lock_text import with_stages


def entry(n: int) -> dict[str, Any]:
    """As DVC has it: long commands are folded, days are in quotes, lists and parameters are nested."""
    told = {"deps": [{"path": f"src/{k}.py", "hash": "md5", "md5": f"{n}{k}", "size": k} for k in range(2)]}
    params = {"params.yaml": {"as_of": "2018-01-01", "months": ["2017-01"], "own": {}, "none": None, "share": 0.5}}
    return {"cmd": f"twinops run {'many words ' * 12}{n}", **told, "params": params, "outs": [{"path": f"data/ü {n}"}]}


def all_anew(text: str, done: dict[str, Any]) -> str:
    told = loads_yaml(text) if text else {"schema": "2.0", "stages": {}}
    told["stages"].update(done)
    return dumps_yaml(told)


def test_stages_that_are_put_into_a_lock_file_make_what_dvc_would_write_of_all() -> None:
    text = with_stages("", {"collect@2017-01": entry(1), "features": entry(2), "train": entry(3)})
    assert text == all_anew("", {"collect@2017-01": entry(1), "features": entry(2), "train": entry(3)})
    again = {"features": entry(4), "collect@2017-02": entry(5)}
    assert with_stages(text, again) == all_anew(text, again)
    assert [*loads_yaml(with_stages(text, again))["stages"]] == [
        "collect@2017-01",
        "features",
        "train",
        "collect@2017-02",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "stages:\n  a:\n    cmd: x\nschema: '2.0'\n",
        "# by hand\nschema: '2.0'\nstages:\n  a:\n    cmd: x\n",
        "schema: '2.0'\nstages: {a: {cmd: x}}\n",
        "schema: '2.0'\nstages:\n  a:\n    cmd: x\nmore: 1\n",
        "schema: '2.0'\n",
    ],
)
def test_a_lock_file_that_looks_otherwise_is_written_anew_and_loses_no_stage(text: str) -> None:
    told = loads_yaml(with_stages(text, {"b": {"cmd": "y"}}))
    before = (loads_yaml(text).get("stages") or {}).items()
    assert told["stages"] == {**dict(before), "b": {"cmd": "y"}}
    assert told["schema"] == "2.0"
