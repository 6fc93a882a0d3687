"""A small marketplace: people upload files and license them, buyers order them, all in one process."""
