"""Sync: the comparison with a peer that finds missing messages (section 11)."""
