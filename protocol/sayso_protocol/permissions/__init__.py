"""Permissions as bits: purposes, words, scopes, and the state that only grows."""
