"""The socket between the node and its gossip process."""
