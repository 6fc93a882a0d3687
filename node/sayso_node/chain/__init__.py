"""The chain: reading the registry, and paying for anchors, relays and wallet deployments."""
