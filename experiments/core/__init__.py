"""What experiments share: the contract, training, evaluation, metrics, theory and plotting."""

from experiments.core.compiled import keep_compiled

keep_compiled()
