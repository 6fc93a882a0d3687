"""What is kept of the chain: what was followed, what is meant to be done there, wallets."""
