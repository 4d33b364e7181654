from itertools import product
from math import exp, lgamma, log

import numpy as np
import pytest

from llm_router.config import ExperimentConfig, Variant
from llm_router.experiments.posterior import NOTHING, Tally, judge, share_traffic


def beats(first: Tally, second: Tally) -> float:
    """The exact probability that the second of two Beta variables with whole parameters is higher.

    Source: Evan Miller, "Formulas for Bayesian A/B Testing", eq. 6.
    """

    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    (a1, b1), (a2, b2) = ((1 + int(x.reward_sum), 1 + x.trials - int(x.reward_sum)) for x in (first, second))
    return sum(exp(log_beta(a1 + i, b1 + b2) - log(b2 + i) - log_beta(1 + i, b2) - log_beta(a1, b1)) for i in range(a2))


TALLIES = (NOTHING, Tally(1, 1), Tally(10, 3), Tally(10, 7), Tally(1_000, 530), Tally(100_000, 50_000), Tally(40, 40))


@pytest.mark.parametrize(("first", "second"), [*product(TALLIES, TALLIES)])
def test_the_probability_of_being_best_is_the_exact_one(first: Tally, second: Tally) -> None:
    assert judge([first, second]).best[1] == pytest.approx(beats(first, second), abs=5e-5)


def test_probabilities_of_many_variants_are_those_of_drawing() -> None:
    tallies = [Tally(30, 20.5), Tally(200, 120.25), Tally(180, 100), NOTHING]
    gained = np.array([tally.reward_sum for tally in tallies])
    trials = np.array([tally.trials for tally in tallies])
    draws = np.random.default_rng(6).beta(1 + gained, 1 + trials - gained, size=(400_000, 4))
    shares = np.bincount(draws.argmax(axis=1), minlength=4) / len(draws)
    found = judge(tallies)
    assert found.best.sum() == pytest.approx(1.0)
    assert np.abs(found.best - shares).max() < 0.004
    assert np.abs(found.mean - draws.mean(axis=0)).max() < 0.002
    assert np.abs(found.low - np.quantile(draws, 0.025, axis=0)).max() < 0.003
    assert np.abs(found.high - np.quantile(draws, 0.975, axis=0)).max() < 0.003


@pytest.mark.parametrize("n", [0, 1, 9, 500, 1_000_000])
def test_intervals_are_the_exact_ones(n: int) -> None:
    never, always = Tally(n, 0.0), Tally(n, float(n))  # Beta(1, n + 1) and Beta(n + 1, 1) have quantiles in closed form
    found = judge([never, always])
    low, high = 0.025 ** (1 / (n + 1)), 0.975 ** (1 / (n + 1))
    width = 1 / (n + 2)
    assert found.low == pytest.approx([1 - high, low], abs=2e-3 * width)
    assert found.high == pytest.approx([1 - low, high], abs=2e-3 * width)
    assert found.mean == pytest.approx([1 / (n + 2), (n + 1) / (n + 2)])


def test_sums_that_rounding_left_outside_are_taken_for_the_bound() -> None:
    found = judge([Tally(3, 3.0000000000000004), Tally(3, -1e-17)])
    assert np.isfinite(found.best).all()
    assert found.mean == pytest.approx([0.8, 0.2])


def make(*shares: float, method: str = "thompson", floor: float = 0.02) -> ExperimentConfig:
    variants = tuple(Variant(f"v{i}", share=share) for i, share in enumerate(shares))
    return ExperimentConfig("x", variants, method, floor)  # type: ignore[arg-type]


def test_without_rewards_the_traffic_is_shared_as_configured() -> None:
    nothing = [NOTHING] * 3
    assert share_traffic(make(2, 1, 1, floor=0.0), nothing) == pytest.approx([0.5, 0.25, 0.25], abs=1e-4)
    assert share_traffic(make(2, 1, 1, method="split"), nothing) == pytest.approx([0.5, 0.25, 0.25])


def test_a_split_keeps_its_shares_whatever_is_rewarded() -> None:
    assert share_traffic(make(3, 1, method="split"), [Tally(99, 0), Tally(99, 99)]) == pytest.approx([0.75, 0.25])


def test_what_was_held_likely_before_gives_way_to_rewards() -> None:
    shares = share_traffic(make(99, 1, floor=0.0), [Tally(500, 100), Tally(500, 400)])
    assert shares[1] > 0.999


@pytest.mark.parametrize("floor", [0.0, 0.02, 0.2, 1 / 3])
def test_no_variant_gets_less_than_the_floor(floor: float) -> None:
    shares = share_traffic(make(1, 1, 1, floor=floor), [Tally(900, 800), Tally(900, 100), Tally(900, 50)])
    assert shares.sum() == pytest.approx(1.0)
    assert shares.min() == pytest.approx(floor, abs=1e-9)
    assert shares[0] == pytest.approx(1 - 2 * floor)
