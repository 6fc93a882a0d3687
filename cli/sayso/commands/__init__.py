"""The `sayso` command: one file for each subject, thin over the library."""
