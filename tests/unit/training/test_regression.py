"""Logistic regressions with named weights."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from training.extraction.regression import Sample, chances, choice_loss, fitted, fitted_choice, log_loss


class Features(NamedTuple):
    first: float
    second: float
    bias: float = 1.0


def samples(first: float, second: float, bias: float, *, seed: int = 1, count: int = 4_000) -> list[Sample[Features]]:
    """Return samples whose shares are the probabilities by these weights."""
    rng = np.random.default_rng(seed)
    rows = [Features(*map(float, rng.normal(size=2))) for _ in range(count)]
    return [Sample(one, 1 / (1 + math.exp(-(first * one.first + second * one.second + bias)))) for one in rows]


def test_the_weights_that_made_the_shares_are_found() -> None:
    found = fitted(samples(1.5, -0.7, 0.4), shrink=0.0)
    assert found == pytest.approx(Features(1.5, -0.7, 0.4), abs=0.002)


def test_a_fit_is_the_same_each_time() -> None:
    assert fitted(samples(1.0, 2.0, -1.0)) == fitted(samples(1.0, 2.0, -1.0))


def test_a_kept_weight_stays_and_the_others_go_by_it() -> None:
    found = fitted(samples(1.0, 2.0, -1.0), {"second": 0.5})
    assert found.second == 0.5
    assert 0.5 < found.first < 1.0


def test_a_feature_that_does_not_vary_gets_no_weight() -> None:
    rows = [one._replace(features=one.features._replace(second=3.0)) for one in samples(1.0, 0.0, 0.5)]
    assert fitted(rows, shrink=0.0) == pytest.approx(Features(1.0, 0.0, 0.5), abs=0.002)


def test_a_weight_has_no_other_sign_than_its_feature() -> None:
    rows = samples(1.0, -0.5, 0.2)
    assert fitted(rows, shrink=0.0, signs={"first": 1, "second": -1}) == fitted(rows, shrink=0.0)
    bounded = fitted(rows, shrink=0.0, signs={"second": 1})
    assert bounded.second == 0.0
    assert bounded.first == pytest.approx(1.0, abs=0.1)


def test_samples_count_by_their_size() -> None:
    rows = [Sample(Features(0.0, 0.0), 1.0, 3.0), Sample(Features(0.0, 0.0), 0.0, 1.0)]
    assert chances(rows, fitted(rows)) == pytest.approx([0.75, 0.75], abs=0.001)


def test_the_loss_is_the_cross_entropy() -> None:
    rows = [Sample(Features(0.0, 0.0), 1.0), Sample(Features(0.0, 0.0), 0.0, 3.0)]
    assert log_loss(rows, Features(0.0, 0.0, 0.0)) == pytest.approx(math.log(2))
    odds = math.log(0.25 / 0.75)
    assert log_loss(rows, Features(0.0, 0.0, odds)) == pytest.approx(-(math.log(0.25) + 3 * math.log(0.75)) / 4)


def choices(
    first: float, second: float, bias: float, none: float, *, count: int = 3_000
) -> list[list[Sample[Features]]]:
    """Return groups of three, of which one is chosen by these weights, or none."""
    rng = np.random.default_rng(3)
    groups = []
    for _ in range(3_000):
        rows = [Features(*map(float, rng.normal(size=2))) for _ in range(3)]
        scores = np.exp([first * one.first + second * one.second + bias for one in rows] + [none])
        chosen = rng.choice(4, p=scores / scores.sum())
        groups.append([Sample(one, float(at == chosen)) for at, one in enumerate(rows)])
    return groups


def test_the_weights_that_chose_are_found() -> None:
    found = fitted_choice(choices(1.5, -0.7, 0.4, -1.0), -1.0, shrink=0.0)
    assert found == pytest.approx(Features(1.5, -0.7, 0.4), abs=0.1)


def test_none_is_chosen_below_its_score() -> None:
    right = [[Sample(Features(1.0, 0.0), 1.0), Sample(Features(0.0, 0.0), 0.0)]] * 50
    none = [[Sample(Features(0.0, 1.0), 0.0), Sample(Features(0.0, 0.0), 0.0)]] * 50
    found = fitted_choice([*right, *none], -1.0, shrink=0.1)
    assert choice_loss([*right, *none], -1.0, found) == 0.0
    assert choice_loss([*right, *none], -1.0, Features(0.0, 0.0, 5.0)) == 0.5


def test_equally_good_samples_are_one_choice() -> None:
    two = [[Sample(Features(1.0, 0.0), 0.5), Sample(Features(1.0, 0.0), 0.5)]] * 200
    found = fitted_choice(two, 0.0, shrink=0.0)
    # Each of the two has a quarter, and none has a half.
    assert found.first + found.bias == pytest.approx(-math.log(2), abs=0.01)
