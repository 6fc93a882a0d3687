"""The tables of the store, for every backend, and the steps that migrate them."""
