"""The declared sources and their legal facts."""

from __future__ import annotations

import typer

from twinops import plugins
from twinops.cli._answer import Json, answer
from twinops.entities.legal import LegalFacts

SHELF = "twinops.data.sources"
app = typer.Typer(no_args_is_help=True)


@app.callback()
def _sources() -> None:
    """The declared sources and their legal facts."""


@app.command("list")
def list_sources(as_json: Json = False) -> None:
    """Every declared source: what it is, whose it is, on which basis and how long it is kept."""
    legal = {name: plugins.load(SHELF, name).LEGAL for name in plugins.names(SHELF)}
    answer(legal, as_json=as_json, text="\n".join(_told(name, facts) for name, facts in legal.items()))


def _told(name: str, facts: LegalFacts) -> str:
    bases = ", ".join(f"{purpose.value}: {basis.value}" for purpose, basis in facts.bases.items())
    kind = "synthetic" if facts.synthetic else "real"
    return f"{name} ({kind}, from {facts.collected_from}, kept {facts.retention_days} days)\n    {bases}"
