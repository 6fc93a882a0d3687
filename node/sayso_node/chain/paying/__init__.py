"""Sends and pays for transactions: anchors, relays and wallet deployments, each exactly once."""
