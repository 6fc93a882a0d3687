"""SQLite: one writer, group commit, readers that never wait; the tables and their history."""
