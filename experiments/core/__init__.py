"""What experiments share: the contract, training, evaluation, metrics, theory and plotting."""
