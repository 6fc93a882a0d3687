"""Sayso: nothing is used without your say-so. The library; `sayso` is the command on top of it."""
