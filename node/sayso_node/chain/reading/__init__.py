"""Reading the chain: endpoints, the follower, contract wallets, proofs."""
