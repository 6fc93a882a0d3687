"""Verdicts: whether a row may be used for a purpose by a grantee at a time (section 8)."""
