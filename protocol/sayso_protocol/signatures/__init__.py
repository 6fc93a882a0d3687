"""Signatures of wallets, contract wallets and nodes."""
