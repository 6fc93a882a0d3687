"""`sayso marketplace`: the library of a marketplace on the command line."""

from sayso.commands.marketplace import consents, sales
from sayso.commands.marketplace.group import marketplace

__all__ = ["consents", "marketplace", "sales"]
