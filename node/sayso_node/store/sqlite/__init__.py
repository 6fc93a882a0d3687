"""The SQLite backend: one writer with group commit, readers that never wait, tables and migrations."""
