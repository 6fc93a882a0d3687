"""Encodings: canonical msgpack, EIP-712 hashes, untrusted JSON, columns and hash trees."""
