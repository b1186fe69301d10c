"""Attacks on tables: near zero on independent data, high on a planted leak."""

from __future__ import annotations

import numpy as np
import pytest

from twinops.evaluation.privacy.reidentification import AttackRisk, Tables, attacks

SIZES = (6, 5, 6, 5, 5, 5)


def people(n: int, seed: int) -> np.ndarray:
    """Households of two habits, so that columns hang together."""
    rng = np.random.default_rng(seed)
    habit = rng.random(n)[:, None]
    return np.clip(np.floor(np.array(SIZES) * (0.6 * habit + 0.4 * rng.random((n, len(SIZES))))), 0, None).astype(int)


def risks(released: np.ndarray, *, tries: int = 300) -> dict[str, AttackRisk]:
    tables = Tables(people(400, 1), people(400, 2), released.astype(float), SIZES, secret=2)
    return {risk.name: risk for risk in attacks(tables, tries=tries, seed=5)}


def test_a_table_that_is_a_copy_of_the_households_is_found_to_leak_in_every_way() -> None:
    found = risks(people(400, 1))
    assert found["singling_out_risk"].value[1] > 0.9
    assert found["linkability_risk"].value[1] > 0.5
    assert found["inference_risk"].value[1] > 0.2
    assert all(risk.informative for risk in found.values())


def test_a_table_of_other_people_is_not_found_to_leak() -> None:
    assert all(risk.value[1] < 0.03 for risk in risks(people(400, 3)).values())


def test_half_the_households_copied_shows_about_half_the_risk() -> None:
    mixed = np.vstack([people(400, 1)[:200], people(200, 4)])
    found = risks(mixed)["linkability_risk"]
    assert 0.25 < found.value[0] < 0.75


def test_columns_drawn_independently_tell_nothing_of_anybody() -> None:
    rng = np.random.default_rng(0)
    shuffled = np.column_stack([rng.permutation(column) for column in people(400, 1).T])
    assert all(risk.value[1] < 0.03 for risk in risks(shuffled).values())


def test_the_risk_is_what_the_attack_has_over_the_control() -> None:
    value, low, high = AttackRisk("x_risk", attack=60, control=20, guess=1, tries=100, control_tries=100).value
    assert value == pytest.approx((0.6 - 0.2) / 0.8)
    assert 0 <= low < value < high <= 1


def test_an_attack_that_guesses_no_worse_is_not_called_safe() -> None:
    assert not AttackRisk("x_risk", attack=10, control=10, guess=12, tries=100, control_tries=100).informative


def test_the_same_seed_gives_the_same_attacks() -> None:
    table = people(400, 3)
    assert risks(table, tries=50) == risks(table, tries=50)
