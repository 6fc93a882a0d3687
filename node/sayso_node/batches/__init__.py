"""Fetches and serves the batches behind anchored roots."""
