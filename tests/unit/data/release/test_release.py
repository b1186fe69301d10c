"""Tables that may leave: what they promise holds, and what is not allowed is not written."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.release.codebook import CodeBand, coded, shipped
from twinops.data.release.generalise import Rule, generalise
from twinops.data.release.ledger import Entry, opened
from twinops.data.release.synthetic import epsilon_of, rho_of, synthesise
from twinops.data.vault.seal import write_sealed
from twinops.data.vault.sealed_tables import SealedTables
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.evaluation.privacy.utility import spread_of, utility
from twinops.params import PrivacyParams, ReleaseParams
from twinops.workflows.places import Places
from twinops.workflows.release.banded_table import Banded, Banding
from twinops.workflows.release.release import Released, release

BANDS = (
    CodeBand("visits", "visits", "visits", (1, 3, 6)),
    CodeBand("spend", "spend", "USD", (50, 150, 350), sensitive=True),
    CodeBand("mood", "mood", "mood", (-20, 0, 20), known_if="told"),
)
POLICY = Path(__file__).parents[4] / "compliance" / "policy.yaml"


def codes(n: int = 400, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    habit = rng.random(n)[:, None]
    return np.floor(np.array([b.size for b in BANDS]) * (0.5 * habit + 0.5 * rng.random((n, 3)))).astype(int)


# ---- code-book


def test_a_value_on_an_edge_begins_the_next_band_and_the_unknown_has_a_code_of_its_own() -> None:
    table = pa.table(
        {
            "visits": [0, 1, 5, 6],
            "spend": [49.99, 50, 0, 1e6],
            "mood": [-30.0, None, 0.0, 5.0],
            "told": [True, True, False, True],
        }
    )
    assert coded(table, BANDS).tolist() == [[0, 0, 0], [1, 1, 4], [2, 0, 4], [3, 3, 2]]


def test_no_cell_can_start_a_formula() -> None:
    labels = [b.label(i, j) for b in shipped() for i in range(b.size) for j in range(i, b.size)]
    assert not [label for label in labels if label[0] in "=+-@\t\r"]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="mood, told"):
        coded(pa.table({"visits": [1], "spend": [1]}), BANDS)


# ---- generalised


@pytest.mark.parametrize("rule", [Rule(10, 2, 0.35), Rule(25, 3, 0.2), Rule(5, 1, 1.0)])
def test_every_class_holds_the_rule_counted_from_the_table_itself(rule: Rule) -> None:
    table = codes()
    made = generalise(table, BANDS, rule)
    whole = np.bincount(table[:, 1], minlength=4) / len(table)
    rows: dict[tuple[int, ...], list[int]] = {}
    for low, high in zip(made.low.tolist(), made.high.tolist(), strict=True):
        rows.setdefault((low[0], high[0], low[2], high[2]), []).append(low[1])
    for secret in rows.values():
        assert len(secret) >= rule.k
        shares = np.unique(secret, return_counts=True)[1] / len(secret)
        assert np.exp(-(shares * np.log(shares)).sum()) >= rule.l - 1e-9
        apart = np.abs(np.cumsum(np.bincount(secret, minlength=4) / len(secret) - whole)).sum() / 3
        assert apart <= rule.t + 1e-9
    assert len(made.low) == len(table)
    assert len(rows) > 1


def test_every_household_lies_within_the_range_of_its_row() -> None:
    table = codes()
    made = generalise(table, BANDS, Rule(10, 2, 0.35))
    assert sorted(made.kept.tolist()) == list(range(len(table)))
    assert ((made.low <= table[made.kept]) & (table[made.kept] <= made.high)).all()


def test_too_few_households_for_one_class_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be generalised"):
        generalise(codes(8), BANDS, Rule(10, 2, 0.35))


# ---- synthetic


def test_a_synthetic_table_spends_what_was_asked_and_keeps_the_shape_of_the_data() -> None:
    table = codes(3000)
    made = synthesise(table, BANDS, epsilon=3.0, delta=1e-6)
    assert made.epsilon <= 3.0
    assert made.rho == pytest.approx(rho_of(3.0, 1e-6), rel=0.01)
    assert abs(len(made.codes) - len(table)) < 300
    for column in range(3):
        one, other = (np.bincount(t[:, column], minlength=5) / len(t) for t in (table, made.codes))
        assert np.abs(one - other).sum() / 2 < 0.1
    assert np.corrcoef(made.codes[:, 0], made.codes[:, 1])[0, 1] > 0.2
    assert len(made.pairs) == 2


def test_two_synthetic_tables_are_never_the_same() -> None:
    table = codes(1000)
    one, other = (synthesise(table, BANDS, epsilon=1.0, delta=1e-6).codes for _ in range(2))
    assert one.shape != other.shape or (one != other).any()


def test_noise_is_as_large_as_the_promise_demands() -> None:
    """Counts of a table with one household more differ by one, whatever is told of them differs by far more."""
    table = codes(1000)
    sizes = [np.bincount(synthesise(table, BANDS, epsilon=0.1, delta=1e-6).codes[:, 0], minlength=4) for _ in range(6)]
    assert np.std(sizes, axis=0).max() > 10


def test_epsilon_and_loss_turn_into_each_other() -> None:
    assert epsilon_of(0.1, 1e-6) == pytest.approx(0.1 + 2 * np.sqrt(0.1 * np.log(1e6)))
    with pytest.raises(ParamsError):
        rho_of(0.0, 1e-6)
    with pytest.raises(ParamsError):
        rho_of(1.0, 0.5)


# ---- what it is good for


def test_a_table_equal_to_its_households_is_no_distance_from_them() -> None:
    table, sizes = codes(), [b.size for b in BANDS]
    found = utility(table, codes(seed=2), spread_of(table, table, sizes), sizes)
    assert found.single == pytest.approx(0)
    assert found.pairs == pytest.approx(0)
    assert found.pairs_apart > 0


def test_a_range_counts_for_each_code_in_it_in_equal_parts() -> None:
    assert spread_of(np.array([[1]]), np.array([[2]]), [4])[0][0].tolist() == [0, 0.5, 0.5, 0]


# ---- ledger


def test_the_ledger_adds_up_and_survives(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "releases.json"
    for _ in range(2):
        with opened(path) as ledger:
            ledger.add(Entry("2026-11-23", "synthetic", 100, rho_of(1.0, 1e-6), "written"))
    with opened(path) as ledger:
        assert len(ledger.entries) == 2
        assert 1.0 < ledger.epsilon(1e-6) < 2.0


@pytest.mark.parametrize("text", ["", "[]", '{"releases": [{"rho": 1}]}', "\x00"])
def test_a_ledger_that_cannot_be_read_is_never_taken_for_an_unspent_budget(tmp_path: Path, text: str) -> None:
    path = tmp_path / "releases.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(IntegrityError), opened(path):
        pass


# ---- the command's workflow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, MemoryKeys]:
    """500 households whose sealed panel and blend hold what the shipped code-book asks for."""
    places, keys = Places(tmp_path_factory.mktemp("release")), MemoryKeys()
    rng = np.random.default_rng(3)
    n = 500
    who = keys.subject_ids([str(i) for i in range(n)])
    flags = {"cutoff": np.full(n, 337), "may_train": np.ones(n, bool), "may_score": np.arange(n) % 10 > 0}
    panel = {
        "recency_days": rng.integers(1, 100, n),
        "baskets_h1": rng.integers(0, 15, n),
        "cents_h3": rng.integers(0, 150000, n),
        "stores_h3": rng.integers(0, 7, n),
        "weekend_share_h3": rng.random(n),
        "saved_share_h3": rng.random(n) / 4,
    }
    blend = {
        "has_account": rng.random(n) < 0.5,
        "social_events": rng.integers(0, 40, n),
        "net_sentiment": rng.normal(size=n) / 3,
    }
    for path, columns in ((places.panel, panel), (places.blend, blend)):
        table = pa.table({"sid": who, **flags, **columns})
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(table, path, dataset=path.stem, keys=keys, subject="sid")
    # 450 households of chance leave wide intervals
    policy = POLICY.read_text(encoding="utf-8").replace("risk_at_most: 0.2", "risk_at_most: 0.5")
    places.compliance.mkdir()
    (places.compliance / "policy.yaml").write_text(policy, encoding="utf-8")
    return places, keys


def made(project: tuple[Places, MemoryKeys], kind: str, **more: float) -> Released:
    places, keys = project
    attacks = PrivacyParams(tries=200)
    return supplied(
        release, kind, **more, today=date(2026, 11, 23), places=places, keys=keys, params=attacks, rule=ReleaseParams()
    )


def test_a_generalised_table_is_written_with_its_sheet_and_its_figures(project: tuple[Places, MemoryKeys]) -> None:
    found = made(project, "generalised")
    folder = project[0].root / found.folder
    rows = list(csv.reader((folder / "table.csv").read_text(encoding="utf-8").splitlines()))
    assert found.refused == ()
    assert len(rows) == found.rows + 1
    assert 180 < found.rows < 270
    assert rows[0] == [band.name for band in shipped()]
    said = (folder / "README.md").read_text(encoding="utf-8")
    assert "at least 20 consumers" in said or "at least 2" in said
    assert "anonym" not in said.lower()
    assert {m["name"] for m in json.loads((folder / "figures.json").read_text())["risks"]} == {
        "singling_out_risk", "linkability_risk", "inference_risk",
    }  # fmt: skip


def test_whoever_does_not_allow_scoring_is_in_no_table(project: tuple[Places, MemoryKeys]) -> None:
    places, keys = project
    people = Banding(places, keys, PrivacyParams(tries=200), ReleaseParams()).table()
    assert len(people.members) + len(people.control) == 450


def test_a_synthetic_table_is_written_once_the_budget_allows_it_and_refused_when_it_is_spent(
    project: tuple[Places, MemoryKeys],
) -> None:
    first = made(project, "synthetic", epsilon=2.0)
    assert first.refused == ()
    before = (project[0].root / first.folder / "table.csv").read_bytes()
    second = made(project, "synthetic", epsilon=2.5)
    assert "3" in second.refused[0]
    assert second.folder == ""
    assert (project[0].root / first.folder / "table.csv").read_bytes() == before
    assert [e["kind"] for e in json.loads(project[0].releases.read_text())["releases"]].count("synthetic") == 1


def test_without_limits_in_the_policy_nothing_may_leave(project: tuple[Places, MemoryKeys], tmp_path: Path) -> None:
    _, keys = project
    bare = Places(tmp_path)
    bare.compliance.mkdir()
    policy = POLICY.read_text(encoding="utf-8")
    (bare.compliance / "policy.yaml").write_text(policy[: policy.index("releases:")], encoding="utf-8")
    found = supplied(release, "generalised", places=bare, keys=keys, params=PrivacyParams(), rule=ReleaseParams())
    assert "nothing may leave" in found.refused[0]


def test_a_table_whose_attack_may_succeed_beyond_the_limit_is_not_written(
    project: tuple[Places, MemoryKeys],
) -> None:
    places, _ = project
    path = places.compliance / "policy.yaml"
    kept = path.read_text(encoding="utf-8")
    path.write_text(kept.replace("risk_at_most: 0.5", "risk_at_most: 0.001"), encoding="utf-8")
    try:
        found = made(project, "generalised")
    finally:
        path.write_text(kept, encoding="utf-8")
    assert found.folder == ""
    assert "reaches beyond 0.001" in found.refused[0]


def test_there_is_no_other_kind(project: tuple[Places, MemoryKeys]) -> None:
    with pytest.raises(ParamsError, match="no kind of table"):
        made(project, "everything")


def test_no_more_generalised_tables_leave_than_the_policy_allows(project: tuple[Places, MemoryKeys]) -> None:
    outcomes = [made(project, "generalised").refused for _ in range(4)]
    assert "generalised tables have left" in outcomes[-1][0]


def test_what_leaves_with_a_synthetic_table_was_not_counted_without_noise(project: tuple[Places, MemoryKeys]) -> None:
    places, _ = project
    # noise may be nought by chance, but not each time
    for _ in range(12):
        places.releases.unlink(missing_ok=True)
        found = made(project, "synthetic", epsilon=2.0)
        folder = places.root / found.folder
        assert sorted(p.name for p in folder.iterdir()) == ["README.md", "codebook.json", "table.csv"]
        told = (folder / "README.md").read_text(encoding="utf-8")
        if f"{found.households:,}" not in told:
            break
    else:
        raise AssertionError("the exact number of consumers was told twelve times")
    assert "singling out" not in told
    inside = json.loads((places.released("synthetic-inside") / "figures.json").read_text(encoding="utf-8"))
    assert inside["households"] == found.households
    columns = next(csv.reader((folder / "table.csv").read_text(encoding="utf-8").splitlines()))
    assert columns == [band.name for band in shipped() if not band.hangs_on_others]
    assert {"posts", "sentiment"}.isdisjoint(columns)


# ---- the promise on the whole path: neighbouring populations, not neighbouring tables


def without(project: tuple[Places, MemoryKeys], gone: str, into: Path) -> Places:
    """The same project with one household less, in panel and blend."""
    before, keys = project
    after = Places(into)
    for name in ("panel", "blend"):
        table = SealedTables(before.raw_batches, keys).table(getattr(before, name))
        kept = table.filter(pc.not_equal(table["sid"], gone))
        path = getattr(after, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(kept, path, dataset=path.stem, keys=keys, subject="sid")
    shutil.copytree(before.compliance, after.compliance)
    return after


def test_one_household_less_changes_one_row_and_no_other(project: tuple[Places, MemoryKeys], tmp_path: Path) -> None:
    places, keys = project
    params = (PrivacyParams(), ReleaseParams())
    whole = Banding(places, keys, *params).table()
    for who in keys.subject_ids(["1", "2", "3", "17", "41"]):
        rest = Banding(without(project, who, tmp_path / who), keys, *params).table()
        lost = [Counter(map(bytes, a)) - Counter(map(bytes, b)) for a, b in pairs(whole, rest)]
        more = [Counter(map(bytes, b)) - Counter(map(bytes, a)) for a, b in pairs(whole, rest)]
        assert sum(count.total() for count in lost) == 1
        assert sum(count.total() for count in more) == 0
        moved = sum(
            ((np.bincount(a, minlength=9) - np.bincount(b, minlength=9)) ** 2).sum()
            for a, b in zip(whole.members.T, rest.members.T, strict=True)
        )
        assert moved <= len(whole.bands)


def pairs(whole: Banded, rest: Banded) -> list[tuple[np.ndarray, np.ndarray]]:
    """Members and control of both."""
    return [(whole.members, rest.members), (whole.control, rest.control)]


def test_somebody_with_two_rows_stops_the_release(project: tuple[Places, MemoryKeys], tmp_path: Path) -> None:
    places, keys = project
    after = without(project, "nobody", tmp_path / "twice")
    table = SealedTables(places.raw_batches, keys).table(places.panel)
    write_sealed(pa.concat_tables([table, table[-1:]]), after.panel, dataset="panel", keys=keys, subject="sid")
    with pytest.raises(IntegrityError, match="several rows"):
        Banding(after, keys, PrivacyParams(), ReleaseParams()).table()


@pytest.mark.parametrize("epsilon", [1.0, 3.0])
def test_who_sees_released_tables_tells_a_household_no_better_than_epsilon_allows(epsilon: float) -> None:
    """The target is the only one of its kind, the worst case; the bound on the AUC is e^eps / (1 + e^eps)."""
    rest = codes(150, seed=5)
    rest[:, 0] = np.minimum(rest[:, 0], 2)
    target, draws = np.array([[3, 3, 4]]), 30
    her, nobody = (
        np.array([(synthesise(t, BANDS, epsilon=epsilon, delta=1e-6).codes[:, 0] == 3).sum() for _ in range(draws)])
        for t in (np.vstack([rest, target]), rest)
    )
    auc = float((her[:, None] > nobody).mean() + 0.5 * (her[:, None] == nobody).mean())
    sure = 1.96 * np.sqrt(0.25 / (3 * draws) * 2)
    assert auc - sure <= np.exp(epsilon) / (1 + np.exp(epsilon))
