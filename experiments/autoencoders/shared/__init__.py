"""How the latents of sparse autoencoders divide true features among themselves, measured against the truth.

`carriers` decides which latent carries an event (one cluster that is on in one sample). On that rest *split
information* and *effective latents* within a cluster (`information`) and the *lineage* of latents between two
autoencoders (`lineage`). `probes` counts splits without the truth about leaves, `failures` holds what else goes
wrong: absorption, hedging, composition.
"""
