"""The contributor's side: keys, consents, revocations."""
