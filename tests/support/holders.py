"""Signed statements of a few more wallets, for tests of all parts.

sublicense(BEN, LABS[0], [consent(1).digest])
"""

from collections.abc import Iterable, Sequence

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.statements.dispute import FILES, Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.messages.typed_data import digest
from support.protocol_strategies import NETWORK, NODE, WALLETS, address_of, sign_digest, wallet

T, END = 1_700_000_000, 1_800_000_000
ZERO = bytes(32)
_KEYS = {address_of(key): key for key in map(wallet, ("dan", "eve", "fay", "gus", "hal"))}
LABS = tuple(_KEYS)
KEYS = {**WALLETS, **_KEYS}


def stated(
    message: Message, hashes: Sequence[bytes], *, endorsed: bool = False, is_sponsored: bool = True
) -> Envelope:
    """The envelope of a message of KEYS, signed or to be endorsed by a contract wallet."""
    signature = b"" if endorsed else sign_digest(KEYS[message.signer], digest(message, NETWORK))
    envelope = Envelope(message, NETWORK, signature, tuple(hashes))
    return envelope.sponsored_by(NODE) if is_sponsored else envelope


def sublicense(
    signer: bytes,
    grantee: bytes,
    licenses: Iterable[bytes],
    parent: bytes = NO_PARENT,
    *,
    purposes: tuple[str, ...] = ("train-ai",),
    issued_at: int = T,
    expires_at: int = END,
    endorsed: bool = False,
    is_sponsored: bool = True,
) -> Envelope:
    """A signed sublicense."""
    hashes = sorted(licenses)
    message = Sublicense(
        signer,
        content_root(hashes),
        len(hashes),
        parent,
        grantee,
        purposes,
        ZERO,
        "",
        issued_at,
        expires_at,
    )
    return stated(message, hashes, endorsed=endorsed, is_sponsored=is_sponsored)


def use(
    signer: bytes, held: Iterable[bytes], run: str = "run-7", *, used_at: int = T, endorsed: bool = False
) -> Envelope:
    """A signed use."""
    hashes = sorted(held)
    message = Use(signer, content_root(hashes), len(hashes), "train-ai", run, ZERO, used_at)
    return stated(message, hashes, endorsed=endorsed)


def removal(
    signer: bytes, held: Iterable[bytes], as_of_block: int = 19, *, endorsed: bool = False
) -> Envelope:
    """A signed removal."""
    hashes = sorted(held)
    message = Removal(signer, content_root(hashes), len(hashes), as_of_block, ZERO)
    return stated(message, hashes, endorsed=endorsed)


def dispute(
    signer: bytes,
    disputed: Iterable[bytes],
    subject: str = FILES,
    *,
    issued_at: int = T,
    expires_at: int | None = None,
    endorsed: bool = False,
) -> Envelope:
    """A signed dispute of files or contributors."""
    hashes = sorted(disputed)
    ends = expires_at or issued_at + 31_622_400
    message = Dispute(signer, content_root(hashes), len(hashes), subject, "voice", issued_at, ends)
    return stated(message, hashes, endorsed=endorsed)
