"""Peers: their addresses, whom to dial, how new ones are found, and who misbehaves."""
