"""Peers: their addresses, dialling, discovery and scores."""
