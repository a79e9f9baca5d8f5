"""One seed decides a whole experiment: its networks, their dictionaries and what is drawn to judge them."""

from dataclasses import replace

from experiments.language_model.shared.dictionaries import DictionaryConfig
from experiments.language_model.shared.network_config import NetworkConfig


def seeded_network(config: NetworkConfig, seed: int) -> NetworkConfig:
    """Return the settings with the experiment's `seed` added to their own; the text stays as it is."""
    return replace(config, seed=config.seed + seed)


def seeded(config: DictionaryConfig, seed: int) -> DictionaryConfig:
    """Return the settings with the experiment's `seed` added to that of the networks."""
    return replace(config, network=seeded_network(config.network, seed))
