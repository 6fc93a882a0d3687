"""A node's folder: settings, keys, identity, the lock of the process that runs in it, backups, moves."""
