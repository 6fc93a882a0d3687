"""What a node keeps: messages, revocation bits, the chain as followed, batches. SQLite."""
