"""Communication between the node and its gossip process over a socket."""
