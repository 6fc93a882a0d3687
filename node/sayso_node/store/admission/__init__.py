"""Admission: which messages are stored; consents by quota, revocations for good or as pending."""
