"""Functions for holders of licenses: what they pass on, use and remove, and what they dispute."""
