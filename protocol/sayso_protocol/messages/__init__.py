"""The signed messages: their fields and rules, notices, typed data, envelopes and bundles."""
