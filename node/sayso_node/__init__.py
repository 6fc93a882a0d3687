"""The Sayso node: hears signed messages, keeps revocations for ever, answers what is still allowed."""
