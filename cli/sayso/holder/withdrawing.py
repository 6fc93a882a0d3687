"""Withdrawals: revocations whose scopes name the signer's own statements (rule 5.1)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sayso.errors import OtherStatements
from sayso.holder.hashes import load_messages, sorted_once
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import DISPUTE, REMOVAL, SUBLICENSE, USE
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text

STATEMENTS: Final = frozenset({SUBLICENSE, USE, REMOVAL, DISPUTE})


def statements_in(path: Path, network: Network, signer: bytes) -> set[bytes]:
    """Return the digests of the statements in a file or folder.

    Raises:
        OtherStatements: One is another signer's, or no statement. See load_messages for other errors.
    """
    envelopes = load_messages(path, network)
    if any(one.message.signer != signer or one.message.kind not in STATEMENTS for one in envelopes):
        raise OtherStatements(f"{str(path)!r} holds a message that is not a statement of the signer")
    return {one.digest for one in envelopes}


def withdrawals(signer: bytes, digests: Iterable[bytes]) -> list[Revocation]:
    """Return the fewest revocations that withdraw statements of `signer`; raises NothingToState."""
    scopes = [f"statement {hex_text(one)}" for one in sorted_once(digests)]
    starts = range(0, len(scopes), LIMITS.scopes)
    return [Revocation(signer, scopes=tuple(scopes[at : at + LIMITS.scopes])) for at in starts]
