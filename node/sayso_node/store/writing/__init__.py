"""How changes are committed: in groups, by one writer."""
