"""Permissions as bits: purposes, words, scopes and the revocation state."""
