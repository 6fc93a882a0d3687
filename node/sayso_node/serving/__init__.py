"""The HTTP API of a node: by the node itself, and by processes beside it on one database."""
