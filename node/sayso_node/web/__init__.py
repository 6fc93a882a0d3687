"""The web page at `/`, on which a contributor sees and revokes licenses with any wallet."""
