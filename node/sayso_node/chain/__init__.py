"""The chain as the node sees it: follow the registry, fetch batches, anchor our own."""
