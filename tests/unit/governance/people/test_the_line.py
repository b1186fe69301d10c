"""Whoever is refused for want of an office is told the line that gives it, and that line does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from twinops.adapters import installed_code
from twinops.cli._door import app
from twinops.governance.people import offices
from twinops.workflows.compliance_files import offices_of
from twinops.workflows.places import Places
from twinops.workflows.project.begin import begin
from twinops.workflows.project.own_files import Installed
from twinops.workflows.scoring.score import NOT_OWNER
from twinops.workflows.subject.desk import MAY, WRONG_OFFICE

ROOM = Path(__file__).parents[4] / "src/twinops"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    begin(Places(tmp_path / "shop"), installed=Installed("9.9", installed_code.pipeline(), "twinops==9.9"), own=True)
    return Places(tmp_path / "shop")


@pytest.mark.parametrize("office", offices.OFFICES)
def test_the_line_that_is_told_gives_the_office(office: str, places: Places) -> None:
    (line,) = re.findall(r"`(- \{.*?\})`", offices.line_for(office))
    path = places.compliance / "offices.yaml"
    before = path.read_text(encoding="utf-8")
    assert offices_of(places).holding(office) == ()
    mine = line.replace("NAME", "Åsa Berg").replace("E-MAIL", "asa@example.org")
    path.write_text(f"{before.rstrip()}\n  {mine}\n", encoding="utf-8")
    assert [p.name for p in offices_of(places).holding(office)] == ["Åsa Berg"]


@pytest.mark.parametrize("office", offices.OFFICES)
def test_the_command_that_is_told_gives_the_office(
    office: str, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    (command,) = re.findall(r"type `twinops (.*?)`", offices.line_for(office))
    words = command.replace("NAME", "Åsa").replace("E-MAIL", "asa@example.org").split("'")
    typed = [*words[0].split(), words[1]]
    monkeypatch.chdir(places.root)
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 0, done.output
    assert [p.name for p in offices_of(places).holding(office)] == ["Åsa"]


def test_a_new_project_has_a_line_for_every_office(places: Places) -> None:
    people = yaml.safe_load((places.compliance / "offices.yaml").read_text(encoding="utf-8"))["people"]
    assert [one["office"] for one in people] == list(offices.OFFICES)


def test_every_refusal_for_want_of_an_office_tells_the_line() -> None:
    for told in (WRONG_OFFICE, NOT_OWNER):
        assert offices.line_for(MAY[0]) in told
    without = [
        path.name
        for room in ("workflows", "cli")
        for path in sorted((ROOM / room).rglob("*.py"))
        for text in [path.read_text(encoding="utf-8")]
        if re.search(r"holds no office|nobody in compliance/offices|holds this office yet|holds such an office", text)
        and "line_for(" not in text
    ]
    assert without == []
