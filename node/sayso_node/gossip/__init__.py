"""Peer-to-peer traffic, in a supervised child process: one bad packet never costs the node."""
