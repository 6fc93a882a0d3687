"""The Sayso node: a server that stores, forwards and judges signed consents and revocations."""
