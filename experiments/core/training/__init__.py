"""One way to train toy models, three backends behind it.

`train(data, model, recipe)` trains every instance (a seed, a point of a sweep) of a batch of toy
models at once. The reference backend defines what training means; the CPU and CUDA backends do the
same faster. See `specification` for what can be asked and `train` for how a backend is chosen.
"""
