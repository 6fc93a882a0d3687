"""Statements: what the holders of licenses, and people who appear in data, sign (rules 3.11 to 3.15)."""
