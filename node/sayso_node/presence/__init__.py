"""One identity, one node: each run tells its peers that it is there, and hears of another run."""
