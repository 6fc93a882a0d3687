"""A whole node under all attacks at once."""
