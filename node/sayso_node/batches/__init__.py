"""The batches behind anchored roots, fetched from peers and operators."""
