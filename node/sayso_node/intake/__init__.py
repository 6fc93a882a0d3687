"""The one door for messages."""
