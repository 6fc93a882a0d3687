"""The store in PostgreSQL, for whoever outgrows one machine (ADR 0042)."""
