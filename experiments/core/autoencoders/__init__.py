"""Sparse autoencoders: train many at once, on activations whose features are known, and score what they recovered.

Training::

    sources = [Superposed(W, density) for W in models]           # or any `Source`: .directions, .draw(generator, count)
    specification = Specification(
        models=grid(VARIANTS, widths=(64, 128), actives=(4, 8), seeds=range(5)),
        steps=4000, batch=512, aux=True, resample=500,
    )
    trained = train_autoencoders(sources, specification)          # one call: variant, width, L0, seed are instances
    found = evaluate_autoencoders(trained, sources)               # arrays (instance,)
    found.coverage.reshape(6, 2, 2, 5)                            # (variant, width, active, seed)

An *instance* is one `Autoencoder(variant, width, active, seed, source)`. `active` is the wanted L0 of every variant:
k for `topk`, `batchtopk` and `matryoshka`; `relu`, `gated` and `jumprelu` adapt their penalty until they have it (or
keep a given `penalty`). `source` is a position in `sources`: instances that name the same one see the same batches;
`grid` gives the i-th seed source i, so pass one source object per seed (the same object several times, for several
data streams of one world). Widths may be mixed freely; `frozen=True` keeps the random decoder (baseline).

What comes back: `trained.state` (arrays; give it to `train_autoencoders(..., state=...)` to go on, `until=` stops
early) and `trained.models`. `dictionary(state, models, i)` gives unit decoder rows (latent, hidden), `encode(state,
models, i, x)` latents (sample, latent), `decode(state, models, i, f)` reconstructions. `metrics` has every score as a
function of arrays.

An instance's result depends on its own settings, the sources it sees and the specification's recipe, neither on the
other instances nor on the number of threads. `backend="reference"` is plain torch with automatic differentiation, for
any device; on the CPU a kernel with hand-derived gradients does the same about ten times faster.
"""

from experiments.core.autoencoders.evaluation import Recovery, evaluate_autoencoders
from experiments.core.autoencoders.inference import decode, dictionary, encode
from experiments.core.autoencoders.sources import Batch, Source, Superposed, sparse_uniform, stream
from experiments.core.autoencoders.specification import VARIANTS, Autoencoder, Specification, Variant, grid
from experiments.core.autoencoders.state import State
from experiments.core.autoencoders.train import Trained, train_autoencoders

__all__ = [
    "VARIANTS",
    "Autoencoder",
    "Batch",
    "Recovery",
    "Source",
    "Specification",
    "State",
    "Superposed",
    "Trained",
    "Variant",
    "decode",
    "dictionary",
    "encode",
    "evaluate_autoencoders",
    "grid",
    "sparse_uniform",
    "stream",
    "train_autoencoders",
]
