"""Asks contract wallets about signatures, once and again."""
