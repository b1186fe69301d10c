"""Ask whether the features tell who buys of denied product categories, among households that allow bias assessment."""

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from twinops.data import products
from twinops.data.consent import special_categories
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.evaluation.privacy.proxies import measured, memberships, proxy_findings
from twinops.params import ProxiesParams
from twinops.twin.state.features import RFM, STATE, WINDOWED
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords

FEATURES = tuple(dict.fromkeys((*STATE, *RFM, *WINDOWED)))


@dataclass(frozen=True)
class Proxies:
    """What the notebook may show."""

    households: int
    findings: Findings


def proxies(plane: DataPlane, rule: ProxiesParams, words: DeclaredWords = UNDECLARED) -> Proxies:
    """Write `reports/measures/proxies.json`. Without a table of products there is no test, and it says so."""
    goods, listed = products.opened(plane.places.products), special_categories.of(words.own)
    panel = plane.tables.table(plane.places.panel)
    panel = panel.filter(pc.and_(pc.equal(panel["cutoff"], rule.cutoff), panel["may_assess_bias"])).sort_by("sid")
    if goods.num_rows and panel.num_rows:
        lines = plane.tables.source("transactions")
        plane.engine.register("transactions", lines.select(["sid", "day", "product_id"]))
        denied = special_categories.denied(plane.engine, goods, by=listed)
        members = memberships(plane.engine, denied, rule, panel["sid"].to_pylist())
        x = np.column_stack([panel[name].to_numpy().astype(float) for name in FEATURES])
        findings = proxy_findings(measured(x, members, rule), listed, rule, households=panel.num_rows)
    else:
        why = {"not_measured": "there is no table of products, or nobody allows bias assessment on that day"}
        findings = Findings((), (Fact("proxies", why, Kind.MEASURED, "data/products"),))
    plane.places.keep("proxies", findings, words.wording)
    return Proxies(panel.num_rows, findings)
