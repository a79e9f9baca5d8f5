# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The first run, step by step
#
# This page trains the reader's first model, as the notes describe it, with the same functions that the report's
# experiments use. It was executed when the site was built; you can download the
# [notebook](first_run.ipynb) and run it again. [The first run](../first_runs.html) shows what holds over many seeds,
# and what the optimum is.

# %%
import numpy as np

from experiments.core import metrics, plotting
from experiments.core.training import Data, Model, Recipe, train
from site_builder.site.notebook_figures import show


def samples():
    figure, ax = plotting.new_figure(height=1.9)
    chance = np.random.default_rng(0)
    x = (chance.random((5, 40)) < 0.1) * chance.random((5, 40))
    plotting.heat(ax, np.arange(1, 41), np.arange(1, 6), x, label="value")
    ax.set(xlabel="sample", ylabel="feature", xticks=(1, 10, 20, 30, 40), yticks=(1, 3, 5))
    return figure


show(samples, alt="A grid of five features and forty samples. About one cell in ten is filled; few columns have two.")

# %% [markdown]
# ## The data
#
# There are five features. Each is absent most of the time; when present, its value is uniform between zero and one:
#
# $$x_i = m_i u_i, \qquad m_i \sim \mathrm{Bernoulli}(p), \quad u_i \sim \mathrm{Uniform}(0, 1), \qquad p = 0.1.$$
#
# The picture shows forty such samples. The reader draws ten thousand once and visits them in batches, epoch after
# epoch.

# %%
data = Data(density=0.1, fixed_samples=10_000)

# %% [markdown]
# ## The model
#
# Five features share two hidden dimensions. The same matrix writes into them and reads from them, and a ReLU with a
# bias cleans up what comes back:
#
# $$h = W x, \qquad y = \operatorname{ReLU}(W^T h + b), \qquad W \in \mathbb{R}^{2 \times 5}.$$
#
# Column $W_i$ is the direction in which feature $i$ is stored. The five cannot all be orthogonal in a plane.

# %%
model = Model(features=5, hidden=2)

# %% [markdown]
# ## The training
#
# Mean squared error, Adam, forty epochs. The matrix starts from a standard normal distribution, which is large for a
# model of this size. We train eight seeds in one call: seeds are an axis of every array, not a loop.

# %%
batches = -(-10_000 // 64)
recipe = Recipe(
    steps=40 * batches,
    batch=64,
    learning_rate=1e-3,
    start="normal",
    snapshots=(0, batches, 10 * batches),
)
trained = train(data, model, recipe, instances=8)
W = trained.weights.W
print("W has shape (instance, hidden, feature) =", W.shape)

# %% [markdown]
# ## What comes out
#
# One panel per seed, one arrow per feature, the unit circle for scale. The same recipe leads to different
# arrangements; the start decides which one is found.


# %%
def starfishes():
    figure, axes = plotting.new_figure(2, 4, panel="square", width="wide")
    limit = 1.1 * float(metrics.norms(W).max())
    for seed, panel in enumerate(axes.flat):
        plotting.directions(panel, W[seed], limit=limit)
        panel.set_title(f"seed {seed}")
    return figure


show(
    starfishes,
    alt="Eight panels, one per seed, each with arrows from the origin: "
    "the directions of the five features in the plane, with the unit circle.",
)

# %% [markdown]
# ## How an arrangement forms
#
# The first seed at its start, after one epoch, after ten, and at the end.


# %%
def forming():
    stages = [*(snapshot.W[0] for snapshot in trained.snapshots), W[0]]
    figure, axes = plotting.new_figure(1, 4, panel="square", width="wide")
    limit = 1.1 * max(float(metrics.norms(stage).max()) for stage in stages)
    titles = ("start", "1 epoch", "10 epochs", "40 epochs")
    for stage, panel, title in zip(stages, axes, titles, strict=True):
        plotting.directions(panel, stage, limit=limit)
        panel.set_title(title)
    return figure


show(
    forming,
    alt="Four panels of the first seed: long arrows in random directions "
    "at the start, which turn and settle over forty epochs.",
)

# %% [markdown]
# ## How many features are represented, and at which angles
#
# A feature counts as represented when its direction is longer than one half. Between represented features we look at
# the cosine of the angle: zero for orthogonal directions, minus one for an antipodal pair.

# %%
represented = metrics.represented(W)
for seed in range(len(W)):
    kept = W[seed][:, represented[seed]]
    cosines = np.sort(metrics.off_diagonal(metrics.cosines(kept)))
    print(f"seed {seed}: {kept.shape[1]} represented,", " ".join(f"{cosine:+.2f}" for cosine in cosines))

# %% [markdown]
# ## What the model does with its input
#
# $W^T W$ is the linear map from input to output before bias and ReLU. The diagonal is what a feature keeps of itself;
# everything else is interference, which the negative bias and the ReLU remove where it is negative or small.


# %%
def interference():
    figure, (left, right) = plotting.new_figure(1, 2, panel="square", width="text")
    plotting.gram(left, metrics.gram(W[0]), label="$W^T W$")
    right.bar(range(1, 6), trained.weights.b[0], color=plotting.colour("accent"))
    features = [str(feature) for feature in range(1, 6)]
    left.set(xticks=range(5), xticklabels=features, yticks=range(5), yticklabels=features)
    plotting.guide(right, 0.0)
    right.set(xlabel="feature", ylabel="bias $b$", title="bias")
    return figure


show(
    interference,
    alt="Left, a five by five heat map of W transposed times W of the first seed, "
    "with a strong diagonal. Right, five bars: the bias of each feature.",
)
