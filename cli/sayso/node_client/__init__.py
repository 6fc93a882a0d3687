"""Client of a node's HTTP API, with typed and verified answers."""
