"""Bytes and trees: canonical msgpack, JSON of strangers, columns, hash trees."""
