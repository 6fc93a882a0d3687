"""The node's database: messages, revocation bits, the followed chain and its batches."""
