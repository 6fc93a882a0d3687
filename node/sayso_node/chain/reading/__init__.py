"""Reads the chain: endpoints, the registry's events, contract wallets and proofs."""
