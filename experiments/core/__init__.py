"""What experiments share: the contract, training, evaluation, metrics, theory and plotting."""

from experiments.core.compiled import keep_compiled
from experiments.core.instructions import pin

pin()
keep_compiled()
