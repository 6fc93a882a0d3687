"""Gossip with peers over libp2p, in a supervised child process whose crash cannot stop the node."""
