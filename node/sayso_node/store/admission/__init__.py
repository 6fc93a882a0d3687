"""Which messages are kept: consents by quota, revocations for ever or bounded."""
