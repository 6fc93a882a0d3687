"""The page at `/`: where a contributor sees what was allowed, and takes it back, with any wallet."""
