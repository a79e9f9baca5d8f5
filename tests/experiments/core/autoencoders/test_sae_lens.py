"""Scores equal those of SAELens 6.54.12 on identical tensors, where both define one.

An optional extra, since sae-lens brings a language-model stack with it: `pip install sae-lens==6.54.12`.
"""

import numpy as np
import pytest

from experiments.core.autoencoders import metrics

pytest.importorskip("sae_lens", reason="sae-lens is not installed; `pip install sae-lens==6.54.12` to compare with it")

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def tensors():
    rng = np.random.default_rng(0)
    W_dec, truth = rng.standard_normal((40, 16)), rng.standard_normal((30, 16))
    f = rng.random((500, 40)) * (rng.random((500, 40)) < 0.1)
    f[:, 7] = 0
    values = rng.random((500, 30)) * (rng.random((500, 30)) < 0.1)
    x = values @ truth
    output = f @ W_dec / 4
    arrays = {"W_dec": W_dec, "truth": truth, "f": f, "values": values, "x": x, "output": output}
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture(scope="module")
def theirs(tensors):
    import torch

    return {name: torch.tensor(array) for name, array in tensors.items()}


def test_matching_scores(tensors, theirs):
    from sae_lens.synthetic import evals

    cosine = metrics.cosines(tensors["W_dec"], tensors["truth"])
    pair = theirs["W_dec"], theirs["truth"]
    assert metrics.mcc(cosine) == pytest.approx(evals.mean_correlation_coefficient(*pair), abs=1e-6)
    assert metrics.uniqueness(cosine) == pytest.approx(evals.feature_uniqueness(*pair), abs=1e-6)


def test_detection_scores(tensors, theirs):
    from sae_lens.synthetic import evals

    names = ("f", "values", "W_dec", "truth")
    found = evals.compute_classification_metrics(*(theirs[name] for name in names))
    nearest = np.abs(metrics.cosines(tensors["W_dec"], tensors["truth"])).argmax(1)
    ours = metrics.detection(tensors["f"] > 0, tensors["values"][:, nearest] > 0)
    assert ours.precision.mean() == pytest.approx(found.precision, abs=1e-6)
    assert ours.recall.mean() == pytest.approx(found.recall, abs=1e-6)
    assert ours.f1.mean() == pytest.approx(found.f1_score, abs=1e-6)


def test_counts_shrinkage_and_explained_variance(tensors, theirs):
    from sae_lens.evals import ExplainedVarianceCalculator
    from sae_lens.synthetic import evals

    l0, dead, ratio = evals.L0Calculator(), evals.DeadLatentsCalculator(40), evals.ShrinkageCalculator()
    l0.add_batch(theirs["f"])
    dead.add_batch(theirs["f"])
    ratio.add_batch(theirs["output"], theirs["x"])
    assert metrics.l0(tensors["f"]) == pytest.approx(l0.compute(), abs=1e-6)
    assert metrics.dead(tensors["f"]) == dead.compute() == 1
    assert metrics.shrinkage(tensors["x"], tensors["output"]) == pytest.approx(ratio.compute(), rel=1e-6)
    explained = ExplainedVarianceCalculator()
    explained.add_batch(theirs["output"], theirs["x"])
    ours = metrics.explained_variance(tensors["x"], tensors["output"])
    assert ours == pytest.approx(explained.compute(), rel=1e-6)
