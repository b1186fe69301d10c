"""Do the features tell who buys what the deny-list keeps out? A feature that does is a proxy (C-184/20).

A classifier of the features predicts membership in a denied category, out of fold. Beside it stand the same with
shuffled members, which must be .5, and with ordinary categories of as many members: whoever shops much
buys of everything, so only what exceeds these is about the category.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module

import numpy as np
import pyarrow as pa

from twinops.data.consent import special_categories
from twinops.data.consent.special_categories import DenyList
from twinops.data.threads import one_thread, side_by_side
from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import TAILS, Resampled, counts
from twinops.evaluation.statistics.estimate import Estimate
from twinops.params import ProxiesParams
from twinops.plugins import text_beside
from twinops.ports import Engine

DENIED, ORDINARY = "denied:", "ordinary:"
FOLDS = 5
ALIKE = 5
"""So many ordinary categories stand beside each denied one."""
FEWEST = 30
"""Members, and others, below which nothing is predicted."""


@dataclass(frozen=True)
class Proxy:
    """One denied category: its members, and the AUC of predicting them, shuffled ones, and ordinary ones alike."""

    category: str
    members: int
    auc: Resampled
    shuffled: np.ndarray
    ordinary: Resampled

    @property
    def excess(self) -> Resampled:
        """How much better than ordinary categories, draw by draw."""
        return self.auc - self.ordinary


def memberships(engine: Engine, denied: pa.Table, rule: ProxiesParams, sids: list[str]) -> dict[str, np.ndarray]:
    """Kind -> whether each household is a member; the engine holds `transactions` and `products_file`."""
    register_kinds(engine, denied)
    asked = {"cutoff": pa.array([rule.cutoff], pa.int64()), "least_days": pa.array([rule.least_days], pa.int64())}
    engine.register("asked", pa.table(asked))
    found = engine.query(text_beside(__package__, "proxies.sql"))
    place = {sid: i for i, sid in enumerate(sids)}
    out: dict[str, np.ndarray] = {}
    for kind, sid in zip(found["kind"].to_pylist(), found["sid"].to_pylist(), strict=True):
        if sid in place:
            out.setdefault(kind, np.zeros(len(sids), dtype=bool))[place[sid]] = True
    return out


def register_kinds(engine: Engine, denied: pa.Table) -> None:
    """Name each product's kind, denied or ordinary; the engine holds `products_file`."""
    engine.register("special", denied)
    engine.register("kinds", special_categories.kinds(engine))


@dataclass(frozen=True)
class _Crowd:
    """Everybody's standardised features, the fold each is in, the draws, and who is a member of which kind."""

    z: np.ndarray
    fold: np.ndarray
    draws: np.ndarray
    members: Mapping[str, np.ndarray]

    def auc(self, truth: np.ndarray) -> np.ndarray:
        """AUC of predicting members, on everybody and on every draw."""
        return weighted.auc(truth.astype(float), predicted(self.z, truth, self.fold), self.draws)

    def plain_auc(self, truth: np.ndarray) -> float:
        """AUC on everybody."""
        once = np.ones((1, len(self.z)))
        return float(weighted.auc(truth.astype(float), predicted(self.z, truth, self.fold), once)[0])


def measured(x: np.ndarray, members: Mapping[str, np.ndarray], rule: ProxiesParams) -> tuple[Proxy, ...]:
    """Every denied category with enough members; `x` is households x features."""
    fold = np.random.default_rng([rule.seed, 1]).permutation(len(x)) % FOLDS
    draws = counts(len(x), draws=rule.draws, seed=rule.seed).astype(float)
    crowd = _Crowd(standardised(x), fold, draws, members)
    kinds = [k for k in sorted(members) if k.startswith(DENIED) and _enough(members[k])]
    import_module("sklearn.linear_model")  # before threads would each begin to
    with one_thread():
        return tuple(side_by_side([partial(_proxy, kind, crowd, rule) for kind in kinds]))


def _proxy(kind: str, crowd: _Crowd, rule: ProxiesParams) -> Proxy:
    """One denied category, with its shuffled and its ordinary controls."""
    truth, category = crowd.members[kind], kind.removeprefix(DENIED)
    rng = np.random.default_rng([rule.seed, 2, *category.encode()])
    shuffled = [crowd.plain_auc(rng.permutation(truth)) for _ in range(rule.shuffles)]
    alike = [crowd.auc(crowd.members[other]) for other in _alike(truth, crowd.members)]
    # whoever shops much buys of everything, denied or not: only what exceeds this is about the category
    ordinary = np.mean(alike, axis=0) if alike else np.full(len(crowd.draws), np.nan)
    return Proxy(category, int(truth.sum()), Resampled(crowd.auc(truth)), np.array(shuffled), Resampled(ordinary))


def predicted(z: np.ndarray, truth: np.ndarray, fold: np.ndarray, *, c: float = 0.1) -> np.ndarray:
    """Out-of-fold log-odds of membership; `c` is the inverse strength of the L2 penalty."""
    from sklearn.linear_model import LogisticRegression

    out = np.zeros(len(z))
    for number in range(FOLDS):
        held = fold == number
        if len(np.unique(truth[~held])) == 2:
            model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-6, max_iter=100)
            out[held] = model.fit(z[~held], truth[~held]).decision_function(z[held])
    return np.array([rounded(float(v)) for v in out])


def _alike(truth: np.ndarray, members: Mapping[str, np.ndarray]) -> list[str]:
    """The ordinary kinds with the nearest number of members."""
    kinds = [k for k, m in members.items() if k.startswith(ORDINARY) and _enough(m)]
    return sorted(kinds, key=lambda k: (abs(int(members[k].sum()) - int(truth.sum())), k))[:ALIKE]


def _enough(truth: np.ndarray) -> bool:
    """Members and others enough for every fold to hold both."""
    return min(int(truth.sum()), int((~truth).sum())) >= FEWEST


def standardised(x: np.ndarray) -> np.ndarray:
    """Logarithms of columns of amounts, centred, with spread 1."""
    grown = np.log1p(np.maximum(x, 0))
    spread = grown.std(axis=0)
    return np.asarray((grown - grown.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0))


def proxy_findings(found: tuple[Proxy, ...], denied: DenyList, rule: ProxiesParams, *, households: int) -> Findings:
    """Four measures per category, and a fact that names those that could not be measured."""
    source = f"features and purchases before day {rule.cutoff}, {MANY} that allow bias assessment"
    measures = [m for p in found for m in _measures(p, source, rule, households)]
    names = {p.category for p in found}
    value = {
        "deny_list": denied.version,
        "categories": {c: {"patterns": list(ps), "why": denied.why[c]} for c, ps in denied.patterns.items()},
        "not_measured": {c: f"fewer than {FEWEST} members or others" for c in denied.patterns if c not in names},
        "intervals": f"each of the {len(found)} at 95 % by itself: one in twenty without a difference shows one",
        "member": f"bought of it on at least {rule.least_days} different days before day {rule.cutoff}",
    }
    return Findings(tuple(measures), (Fact("proxies", value, Kind.MEASURED, source),))


def _measures(p: Proxy, source: str, rule: ProxiesParams, n: int) -> list[Measure]:
    about = f"{p.members:,} members of {n:,}; logistic regression of the features, {FOLDS} folds"
    drawn = f"percentile bootstrap of {MANY}"
    beside = f"{ALIKE} ordinary categories with as many members"
    shuffled = Estimate(float(p.shuffled.mean()), *(float(v) for v in np.quantile(p.shuffled, TAILS)))

    def measure(what: str, found: Estimate, method: str) -> Measure:
        return found.measure(f"proxy.{p.category}.{what}", n, source, method, seed=rule.seed)

    out = [
        measure("auc", p.auc.estimate(p.category), f"AUC of members, out of fold; {drawn}; {about}"),
        measure("auc_shuffled", shuffled, f"members shuffled {rule.shuffles} times; middle 95 %"),
    ]
    if p.ordinary.known:
        ordinary, excess = p.ordinary.estimate(p.category), p.excess.estimate(p.category)
        out.append(measure("auc_ordinary", ordinary, f"mean AUC of {beside}; {drawn}"))
        out.append(measure("excess", excess, f"AUC less that of {beside}, paired; {drawn}"))
    return out
