"""The settings of the network: which text, how large, and how it is trained."""

from dataclasses import dataclass, field

from experiments.language_model.shared.corpus import TextConfig


@dataclass(frozen=True)
class NetworkConfig:
    """Adam without decay; the rate rises over `warmup` steps and falls along a cosine to a tenth. `seed` selects
    weights and data together with the number of the network."""

    text: TextConfig = field(default_factory=TextConfig)
    seed: int = 0
    model: int = 64
    mlp: int = 256
    heads: int = 4
    context: int = 128
    steps: int = 3000
    batch: int = 8
    learning_rate: float = 5e-3
    warmup: int = 100
    checkpoint_every: int = 250


QUICK = NetworkConfig(
    text=TextConfig(share=0.1, entries=400), model=32, mlp=64, context=32, steps=100, batch=8, warmup=20
)
"""For a run in seconds."""
