"""Paying on the chain: anchors, relays and wallet deployments, once each."""
