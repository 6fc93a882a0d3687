"""Signed messages: fields, rules, notices, typed data, envelopes and bundles."""
