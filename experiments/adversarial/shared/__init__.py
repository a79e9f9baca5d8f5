"""What the experiments on adversarial examples share: attacks, interference, vulnerability, training against them."""
