"""A node's HTTP API, typed and verified."""
