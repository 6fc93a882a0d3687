"""What the store holds about the chain: followed blocks, intended transactions and contract wallets."""
