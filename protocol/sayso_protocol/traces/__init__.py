"""Where a license went: its holders, and the removals that they owe or confirmed (section 15)."""
