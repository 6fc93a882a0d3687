"""All that a node knows to be revoked, in a signed file, and the verdict from it."""
