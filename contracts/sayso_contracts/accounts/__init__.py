"""What processes of ours do about the library of Ethereum accounts."""
