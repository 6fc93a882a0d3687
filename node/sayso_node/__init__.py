"""The Sayso node: hears signed messages, keeps revocations, says what is still allowed."""
