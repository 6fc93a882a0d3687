"""Proofs from block hashes: the registry's storage, transactions and batches of license hashes."""
