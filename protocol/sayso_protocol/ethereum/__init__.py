"""What a block hash proves: the registry's storage, transactions, batches of license hashes."""
