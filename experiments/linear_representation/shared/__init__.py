"""What the experiments on linear representation share: read-outs, gates, a code that is not linear, word vectors."""
