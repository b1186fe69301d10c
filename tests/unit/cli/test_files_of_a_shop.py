"""Files that `init` is handed by name: what is not there, and kinds that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinops.cli._shop_files import there
from twinops.errors import DataError, ParamsError


@pytest.mark.parametrize(
    ("kind", "told"), [("accounts", "declared in params.yaml"), ("acounts", "There is no kind 'acounts'")]
)
def test_a_kind_that_is_none_is_told_as_such_and_not_as_a_file_that_is_missing(
    tmp_path: Path, kind: str, told: str
) -> None:
    sales, other = tmp_path / "sales.csv", tmp_path / "web.csv"
    for path in (sales, other):
        path.write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(ParamsError, match=told) as problem:
        there(sales, also=[f"{kind}={other}"])
    assert "service" in problem.value.what
    assert there(sales, also=[f"service={other}"]).more == (f"service={other}",)
    with pytest.raises(DataError, match=r"There is no gone\.csv"):
        there(sales, also=[f"service={tmp_path / 'gone.csv'}"])
