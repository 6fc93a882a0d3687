"""Wallets as people have them, by the code of their makers, and what each makes of our messages."""
