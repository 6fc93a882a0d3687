"""Room for the words of a known signer that match nothing held (rules 7.12.8 and 7.12.9).

A scope may come before what it covers, so it is kept whatever it says. But words cost nothing, so each
signer has room for a limited number of those that matched no held consent when they came. `everything`,
of the signer's own permissions, is one word and always has room.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from sayso_node.store import messages
from sayso_node.store.admission.pending import Heard
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.revocations.bits import masks_at
from sayso_protocol.errors import SaysoError
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import CONSENT_FIELDS
from sayso_protocol.messages.revocation import REVOCATION_FIELDS
from sayso_protocol.permissions.scopes import Scope, scope_word
from sayso_protocol.permissions.words import WORD_BITS, agreement_id, base_word
from sayso_protocol.primitives import HASH_BYTES

LOOSE_WORDS: Final = 4_096  # of one signer
_CLAIMS: Final = 128  # on an item, which are looked at
_CONSENTS: Final = 8  # of the contributor among them, which are read
_NAMES: Final = [name for _, name in CONSENT_FIELDS]
_SCOPES: Final = [name for _, name in REVOCATION_FIELDS].index("scopes")
_EVERYTHING: Final = Scope("everything")


class _Envelope(msgspec.Struct, array_like=True, gc=False):
    """The first fields of an envelope (rule 6.2); the others, such as items, are skipped."""

    version: int
    kind: int
    fields: list[Any]


_decode = msgspec.msgpack.Decoder(_Envelope).decode


def has_room(db: Reading, heard: Heard) -> bool:
    """Return whether a signer has room for the new words of a revocation that match nothing held."""
    count = _loose(db, heard)
    row = db.execute("SELECT loose FROM people WHERE address = ?", (heard.signer,)).fetchone()
    return not count or (row[0] if row else 0) + count <= LOOSE_WORDS


def take_room(db: Writing, heard: Heard) -> None:
    """Count the new words of a revocation that match nothing held, before it is stored."""
    if count := _loose(db, heard):
        change = "UPDATE people SET loose = loose + ? WHERE address = ?"
        db.execute(change, (count, heard.signer))


def is_licensed(db: Reading, address: bytes, word: int) -> bool:
    """Return whether a held consent has permissions in this word; they begin at multiples of 64."""
    base = word - word % LIMITS.words
    query = "SELECT permissions FROM terms WHERE address = ? AND base = ?"
    row = db.execute(query, (address, base.to_bytes(HASH_BYTES))).fetchone()
    return row is not None and (word - base) * WORD_BITS < row[0]


def _loose(db: Reading, heard: Heard) -> int:
    texts = {scope_word(text): text for text in _decode(heard.body).fields[_SCOPES]}
    new = [word for word in heard.bits if not any(masks_at(db, heard.signer, word))]
    return sum(
        not _covers(db, heard.signer, texts[word])
        if word in texts
        else not is_licensed(db, heard.signer, word)
        for word in new
    )


def _covers(db: Reading, signer: bytes, text: str) -> bool:
    """Return whether a scope covers a permission of a held consent, where that is cheap to tell."""
    try:
        scope = Scope.parse(text)
    except SaysoError:  # of a later grammar (rule 5.3)
        return False
    if scope == _EVERYTHING:
        return True
    kind, _, value = scope.subject.partition(" 0x")
    if kind not in {"file", "agreement"}:
        return False
    contributor, name = scope.ward or signer, bytes.fromhex(value)
    bodies = (_on_item if kind == "file" else _of_agreement)(db, contributor, name)
    for body in bodies:
        terms: dict[str, Any] = dict(zip(_NAMES, _decode(body).fields, strict=True))
        is_theirs = scope.ward is None or terms["guardian"] == signer
        is_given = scope.purpose is None or scope.purpose in terms["purposes"]
        if is_theirs and is_given and (kind == "file" or _agreement(terms) == name):
            return True
    return False


def _on_item(db: Reading, contributor: bytes, item: bytes) -> Iterable[bytes]:
    query = (
        "SELECT body FROM (SELECT seq FROM items WHERE item = ? LIMIT ?) AS near"
        " JOIN messages USING (seq) WHERE contributor = ? LIMIT ?"
    )
    return (body for (body,) in db.execute(query, (item, _CLAIMS, contributor, _CONSENTS)))


def _of_agreement(db: Reading, contributor: bytes, agreement: bytes) -> Iterable[bytes]:
    query = "SELECT license FROM terms WHERE address = ? AND base = ?"
    base = base_word(agreement).to_bytes(HASH_BYTES)
    row = db.execute(query, (contributor, base)).fetchone()
    held = messages.consent(db, row[0]) if row else None
    return (held.body,) if held else ()


def _agreement(terms: dict[str, Any]) -> bytes:
    purposes = tuple(terms["purposes"])
    return agreement_id(terms["grantee"], terms["via"], terms["content"], purposes)
