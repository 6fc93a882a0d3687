"""What sync compares: entries of messages, and sums over them."""
