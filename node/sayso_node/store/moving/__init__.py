"""Moving a store to another backend: its contents, row by row, and the marks that say where it is."""
