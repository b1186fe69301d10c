"""Make a table that may leave, attack it, and write it only if policy, budget and attacks allow it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from twinops.data.release.codebook import CodeBand
from twinops.data.release.generalise import Rule, generalise
from twinops.data.release.ledger import Entry, ReleaseLedger, opened
from twinops.data.release.synthetic import rho_of, synthesise
from twinops.entities.canonical import to_json
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.errors import ParamsError
from twinops.evaluation.privacy.reidentification import attacks, risk_findings
from twinops.evaluation.privacy.utility import Utility, spread_of, utility
from twinops.governance.policy.limits import Releases
from twinops.governance.release_sheet import sheet
from twinops.params import PrivacyParams, ReleaseParams
from twinops.whole_files import write
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.release.banded_table import Banded, Banding

SYNTHETIC, GENERALISED = "synthetic", "generalised"
INSIDE = "-inside"
"""What is exact about a synthetic table stays in a folder of its own: it is no part of what the noise promises."""
SINGLE_BUDGET = 1.0


@dataclass(frozen=True)
class Released:
    """What came of it; `folder` is empty when nothing was written, and `refused` says why."""

    kind: str
    folder: str
    rows: int
    households: int
    risks: tuple[Measure, ...]
    utility: Utility | None
    promise: dict[str, float]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class _Made:
    """A table: the lowest and highest code of each cell, and what it promises in figures."""

    low: np.ndarray
    high: np.ndarray
    promise: dict[str, float]


def release(
    kind: str,
    epsilon: float = SINGLE_BUDGET,
    today: date | None = None,
    *,
    banding: Banding,
    words: DeclaredWords = UNDECLARED,
) -> Released:
    """Write `data/releases/<kind>/`: table, code-book and a sheet that says what it is and is not.

    The figures lie beside a generalised table; those of a synthetic one, which are exact, in `<kind>-inside/`.

    Raises:
        ParamsError: there is no such kind, or the policy holds mistakes.
        DataError: too few households.
    """
    if kind not in (SYNTHETIC, GENERALISED):
        raise ParamsError(f"{kind!r:.40} is no kind of table that may leave.", hint="Take synthetic or generalised.")
    places = banding.places
    limits = policy_of(places).releases
    if limits is None:
        why = "compliance/policy.yaml declares no limits for releases, so nothing may leave."
        return Released(kind, "", 0, 0, (), None, {}, (why,))
    people = banding.table()
    day = (today or datetime.now(UTC).date()).isoformat()
    with opened(places.releases) as ledger:
        refused = _over_budget(kind, epsilon, limits, ledger)
        if refused:
            return Released(kind, "", 0, len(people.members), (), None, {}, refused)
        made = _synthetic(people, epsilon, limits.delta) if kind == SYNTHETIC else _generalised(people, banding.release)
        attacked = people.own_alone() if kind == SYNTHETIC else people
        released = _judged(kind, made, attacked, limits, banding.privacy)
        outcome = "refused" if released.refused else "written"
        ledger.add(Entry(day, kind, len(people.members), made.promise.get("rho", 0.0), outcome))
        facts: dict[str, Any] = {"day": day, "spent": ledger.epsilon(limits.delta)}
        facts |= {"risk_at_most": limits.risk_at_most, "of": words.sheet, "words": words.wording}
        facts["generalised"] = ledger.written(GENERALISED)
    released = words.told(released)
    return released if released.refused else _write(released, made, attacked, places, facts=facts)


def _over_budget(kind: str, epsilon: float, limits: Releases, ledger: ReleaseLedger) -> tuple[str, ...]:
    if kind != SYNTHETIC:
        left = ledger.written(kind)
        many = f"{left} generalised tables have left, and compliance/policy.yaml allows {limits.generalised_at_most}."
        return (many,) if left >= limits.generalised_at_most else ()
    total = ledger.epsilon(limits.delta, more=rho_of(epsilon, limits.delta))
    if total <= limits.epsilon_at_most:
        return ()
    return (
        f"With epsilon {epsilon:g} all synthetic tables together would have spent {total:.3g} of the "
        f"{limits.epsilon_at_most:g} that compliance/policy.yaml allows (delta {limits.delta:g}).",
    )


def _synthetic(people: Banded, epsilon: float, delta: float) -> _Made:
    own = people.own_alone()
    made = synthesise(own.members, own.bands, epsilon=epsilon, delta=delta)
    return _Made(made.codes, made.codes, {"epsilon": made.epsilon, "delta": delta, "rho": made.rho})


def _generalised(people: Banded, rule: ReleaseParams) -> _Made:
    made = generalise(people.members, people.bands, Rule(rule.k, rule.l, rule.t))
    return _Made(
        made.low, made.high, {"k": made.reached.k, "l": round(made.reached.l, 4), "t": round(made.reached.t, 4)}
    )


def _judged(kind: str, made: _Made, people: Banded, limits: Releases, params: PrivacyParams) -> Released:
    """Attack it and measure what it is good for; refused when even one attack may succeed beyond the limit."""
    sizes = [band.size for band in people.bands]
    found = attacks(people.attacked((made.low + made.high) / 2), tries=params.tries, seed=params.seed)
    risks = risk_findings({kind: found}, {kind: f"{kind} table as of day {params.cutoff}"}, seed=params.seed).measures
    refused = tuple(
        f"{m.name.replace('_', ' ')} is {m}, which reaches beyond {limits.risk_at_most:g}."
        for m in risks
        if m.high is None or m.high > limits.risk_at_most
    )
    if not risks:
        refused = (f"Fewer than ten {MANY} are in the table or kept out of it, so nobody could attack it.",)
    useful = utility(people.members, people.control, spread_of(made.low, made.high, sizes), sizes)
    return Released(kind, "", len(made.low), len(people.members), risks, useful, made.promise, refused)


def _write(released: Released, made: _Made, people: Banded, places: Places, *, facts: Mapping[str, Any]) -> Released:
    folder = places.released(released.kind)
    folder.mkdir(parents=True, exist_ok=True)
    done = replace(released, folder=folder.relative_to(places.root).as_posix())
    told = facts["words"].told
    book = {b.name: {"says": told(b.says), "bands": [b.label(i, i) for i in range(b.size)]} for b in people.bands}
    figures = {
        "day": facts["day"],
        "kind": released.kind,
        "rows": released.rows,
        "households": released.households,
        "promise": released.promise,
        "epsilon_spent_in_all": facts["spent"],
        "generalised_in_all": facts["generalised"],
        "risks": [m.to_dict() for m in released.risks],
        "utility": asdict(released.utility) if released.utility else None,
    }
    write(folder / "table.csv", _csv(made, people.bands))
    write(folder / "codebook.json", to_json(book, indent=1) + "\n")
    shared = {"of": facts["of"], "risk_at_most": facts["risk_at_most"]}
    if released.kind == SYNTHETIC:
        inside = places.released(released.kind + INSIDE)
        inside.mkdir(exist_ok=True)
        (folder / "figures.json").unlink(missing_ok=True)
        write(folder / "README.md", told(sheet(figures, book, **shared, exact=False)))
        folder = inside
    write(folder / "figures.json", to_json(figures, indent=1) + "\n")
    write(folder / "README.md", told(sheet(figures, book, **shared)))
    return done


def _csv(made: _Made, bands: tuple[CodeBand, ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([band.name for band in bands])
    for low, high in zip(made.low.tolist(), made.high.tolist(), strict=True):
        writer.writerow([band.label(a, b) for band, a, b in zip(bands, low, high, strict=True)])
    return out.getvalue()
