"""How two nodes find out what one of them lacks (section 11)."""
