"""Proofs for others: of the registry's storage, and of the transactions that revoked."""
