"""Explanations of what holders and other people state about licenses (rules 3.12 to 3.15)."""

from collections.abc import Iterator
from typing import Final

from sayso.explain.sentences import count, listed, moment, purpose_text
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import ADDRESS_BYTES, address_text, hex_text

SHOWN: Final = 10  # hashes of a statement
_HELD: Final = "licenses or sublicenses"


def sublicense(envelope: Envelope, now: float) -> Iterator[str]:
    """Yield the sentences about a sublicense; `now` is in seconds since the epoch."""
    one = as_kind(envelope.message, Sublicense)
    yield f"This is a sublicense: {hex_text(envelope.digest)}."
    purposes = listed(purpose_text(name) for name in one.purposes)
    licenses, to = count(one.count, "license"), address_text(one.grantee)
    yield f"{address_text(one.signer)} passes {licenses} on to {to} for {purposes}."
    if one.parent == NO_PARENT:
        yield "It counts for those of the licenses whose consent names the signer as grantee."
    else:
        yield f"It counts for those of the licenses that sublicense {hex_text(one.parent)} passed on."
    yield span(one.issued_at, one.expires_at, now)
    yield from license_text(one.terms, one.terms_uri)
    yield "It can be withdrawn at any time; whether it was, and whether it counts, is not in this file."
    yield from _hashes(envelope, "licenses")


def use(envelope: Envelope, _now: float) -> Iterator[str]:
    """Yield the sentences about a use."""
    one = as_kind(envelope.message, Use)
    yield f"This is a use: {hex_text(envelope.digest)}."
    run = f", in run {one.run}" if one.run else ""
    who, purpose = address_text(one.signer), purpose_text(one.purpose)
    yield f"{who} says that it used data for {purpose} at {moment(one.used_at)}{run}."
    yield from _record(one.record, "the check before the run")
    yield from _hashes(envelope, _HELD)


def removal(envelope: Envelope, _now: float) -> Iterator[str]:
    """Yield the sentences about a removal."""
    one = as_kind(envelope.message, Removal)
    yield f"This is a removal: {hex_text(envelope.digest)}."
    yield (
        f"{address_text(one.signer)} says that it removed from all it holds what is revoked,"
        f" as of block {one.as_of_block:,}. It does not say that a model forgot."
    )
    yield from _record(one.record, "the removal")
    yield from _hashes(envelope, _HELD)


def dispute(envelope: Envelope, now: float) -> Iterator[str]:
    """Yield the sentences about a dispute."""
    one = as_kind(envelope.message, Dispute)
    yield f"This is a dispute: {hex_text(envelope.digest)}."
    who = address_text(one.signer)
    if one.subject == CONTRIBUTORS:
        people = count(one.count, "contributor")
        yield f"{who} disputes the licenses of {people}, who do not own what they license: {one.code}."
        named = [address_text(name[-ADDRESS_BYTES:]) for name in envelope.items]
        yield from shown("The contributors:", named)
    else:
        yield f"{who} says that {count(one.count, 'file')} show them: {one.code}."
        yield from _hashes(envelope, "files")
    yield span(one.issued_at, one.expires_at, now)
    yield "It stops data only at nodes and checkers that heed the signer. It can be withdrawn."


def span(issued_at: int, expires_at: int, now: float) -> str:
    """Return the sentence about when something holds, and whether that is now."""
    state = "It has ended. " if now >= expires_at else ""
    state = state or ("It has not begun. " if now < issued_at else "")
    return f"{state}It holds from {moment(issued_at)} until {moment(expires_at)}."


def license_text(terms: bytes, uri: str) -> Iterator[str]:
    """Yield the sentences about the text of a license."""
    if uri:
        yield f"The text of the license is at {uri}."
    if any(terms):
        yield f"The text of the license has the SHA-256 {hex_text(terms)}."


def _record(record: bytes, of: str) -> Iterator[str]:
    if any(record):
        yield f"The record of {of} has the SHA-256 {hex_text(record)}."


def _hashes(envelope: Envelope, of: str) -> Iterator[str]:
    yield from shown(f"The hashes of the {of}:", [hex_text(one) for one in envelope.items])


def shown(head: str, names: list[str]) -> Iterator[str]:
    """Yield a heading and the first of some names."""
    yield head
    yield from (f"  {one}" for one in names[:SHOWN])
    if len(names) > SHOWN:
        yield f"  and {len(names) - SHOWN:,} more"
