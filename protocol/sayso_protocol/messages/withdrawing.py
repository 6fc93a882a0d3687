"""The scopes by which a signer withdraws a statement (rule 5.9)."""

from sayso_protocol.messages.message import Message
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.primitives import hex_text


def withdrawn_by(statement: Message, digest: bytes) -> tuple[str, ...]:
    """Return the scopes that withdraw a statement; bit 0 of the word of one, in its signer's own bits.

    Args:
        statement: A statement (rule 3.11).
        digest: Its digest, 32 bytes.
    """
    grantee = statement.grantee if isinstance(statement, Sublicense) else None
    return withdrawal_scopes(digest, grantee)


def withdrawal_scopes(digest: bytes, grantee: bytes | None = None) -> tuple[str, ...]:
    """Return the scopes that withdraw a statement, by its digest, and the grantee of a sublicense."""
    scopes = f"statement {hex_text(digest)}", "statements"
    return scopes if grantee is None else (*scopes, f"statements to {hex_text(grantee)}")
