"""Costs without superposition agree with quadrature, a search over all allocations and Monte Carlo."""

import numpy as np
import pytest
from scipy import integrate, optimize

from experiments.computation.shared.baselines import best_allocation, bias_alone, one_neuron

DENSITIES = (1.0, 0.5, 0.3, 0.1, 0.01, 0.001)


def by_quadrature(p: float, output) -> float:
    """Return E (|x| - output(x))^2 / (p/3) for one feature, `output` being piecewise smooth with a kink at 0."""
    inside = sum(integrate.quad(lambda x: (abs(x) - output(x)) ** 2 / 2, *side)[0] for side in ((-1, 0), (0, 1)))
    return (p * inside + (1 - p) * output(0.0) ** 2) / (p / 3)


def least_over(p: float, shape, starts) -> float:
    """Return the least cost over two parameters, from several starts."""
    found = [
        optimize.minimize(lambda w: by_quadrature(p, lambda x: shape(w, x)), start, method="Nelder-Mead").fun
        for start in starts
    ]
    return min(found)


@pytest.mark.parametrize("p", DENSITIES)
def test_the_best_constant_costs_what_the_formula_says(p):
    found = optimize.minimize_scalar(lambda b: by_quadrature(p, lambda x: b), bounds=(0, 1), method="bounded").fun
    assert bias_alone(p) == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize("p", DENSITIES)
def test_no_read_out_of_one_neuron_beats_the_formula_and_one_reaches_it(p):
    # All signs of read-out and bias are tried: y = ReLU(a ReLU(x) + b).
    starts = [(1, p / 4), (1, -0.05), (-0.5, 0.5), (0.3, 0.5)]
    found = least_over(p, lambda w, x: max(w[0] * max(x, 0.0) + w[1], 0.0), starts)
    assert one_neuron(p) == pytest.approx(found, abs=1e-4)


def test_the_printed_values_at_density_one():
    assert bias_alone(1) == pytest.approx(0.25)
    assert one_neuron(1) == pytest.approx(0.2)


def test_monte_carlo_gives_the_same_costs():
    p = 0.3
    generator = np.random.default_rng(0)
    x = np.where(generator.random(400_000) < p, generator.uniform(-1, 1, 400_000), 0)
    b = p / 4 / (1 - 3 * p / 8)
    y = np.maximum((1 - 1.5 * b) * np.maximum(x, 0) + b, 0)
    assert ((np.abs(x) - y) ** 2).mean() / (p / 3) == pytest.approx(one_neuron(p), rel=0.02)


def by_search(p: float, importance, neurons: int) -> float:
    """Return the least total over all allocations of 0, 1 or 2 neurons, by dynamic programming."""
    costs = (float(bias_alone(p)), float(one_neuron(p)), 0.0)
    least = np.zeros(neurons + 1)  # least[k]: the best total so far with at most k neurons
    for each in importance:
        options = [np.full(neurons + 1, np.inf) for _ in costs]
        for used, cost in enumerate(costs):
            options[used][used:] = least[: neurons + 1 - used] + each * cost
        least = np.minimum.reduce(options)
    return float(least[-1] / np.sum(importance))


@pytest.mark.parametrize("p", DENSITIES)
@pytest.mark.parametrize("neurons", [0, 1, 5, 8, 30])
@pytest.mark.parametrize("decay", [1.0, 0.95, 0.5])
def test_pairs_for_the_most_important_features_are_the_best_allocation(p, neurons, decay):
    importance = np.random.default_rng(0).permutation(decay ** np.arange(12))
    assert best_allocation(p, importance, neurons) == pytest.approx(by_search(p, importance, neurons), abs=1e-12)


def test_a_negative_number_of_neurons_is_refused_by_name():
    with pytest.raises(ValueError, match="neurons is -1"):
        best_allocation(0.1, np.ones(3), -1)
