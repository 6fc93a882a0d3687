"""The scopes by which a signer withdraws a statement (rule 5.9)."""

from typing import Final

from sayso_protocol.messages.message import Message
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.primitives import hex_text

ALL_STATEMENTS: Final = "statements"


def withdrawn_by(statement: Message, digest: bytes) -> tuple[str, ...]:
    """Return the scopes that withdraw a statement; bit 0 of the word of one, in its signer's own bits.

    Args:
        statement: A statement (rule 3.11).
        digest: Its digest, 32 bytes.
    """
    scopes = withdrawing_any(digest)
    if isinstance(statement, Sublicense):
        return (*scopes, f"statements to {hex_text(statement.grantee)}")
    return scopes


def withdrawing_any(digest: bytes) -> tuple[str, ...]:
    """Return the scopes that withdraw a statement of any kind, by its digest, 32 bytes."""
    return f"statement {hex_text(digest)}", ALL_STATEMENTS
