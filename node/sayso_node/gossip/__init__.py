"""Peer-to-peer traffic, in a supervised child process so that one bad packet never costs the node."""
