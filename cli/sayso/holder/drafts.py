"""Statements before they are signed: one template, and the hashes in messages of at most 1,024.

draft = Draft(Use(...), hashes, frozenset({"used_at"}))
[message for message, hashes in draft.messages()]
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from sayso.errors import OtherStatements
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.message import DISPUTE, REMOVAL, SUBLICENSE, USE, Message
from sayso_protocol.messages.statements.dispute import Dispute, check_disputed
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.rules import check_hashes
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import HASH_BYTES, address_text

Statement = Sublicense | Use | Removal | Dispute
NOTHING: Final = bytes(HASH_BYTES)  # `content` of a template, and a hash that is not given
_OF_THE_LIST: Final = frozenset({"content", "count"})
_CHECKS: Final = {DISPUTE: check_disputed}
_SEEN: Final = "the address and the public key of the signer, and when nodes got it"


@dataclass(frozen=True)
class Draft:
    """Draft is a statement about any number of hashes.

    Attributes:
        template: The statement; its `content` and `count` are replaced.
        hashes: Ascending, each once.
        floating: The fields that come from the clock or from a node, not from the user.
    """

    template: Statement
    hashes: tuple[bytes, ...]
    floating: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """Return the number of messages."""
        return -(-len(self.hashes) // LIMITS.hashes)

    def messages(self) -> Iterator[tuple[Statement, tuple[bytes, ...]]]:
        """Yield the fewest messages, each with its hashes; raises InvalidStatement."""
        for start in range(0, len(self.hashes), LIMITS.hashes):
            part = self.hashes[start : start + LIMITS.hashes]
            message = replace(self.template, content=content_root(part), count=len(part))
            columns = [(getattr(message, name),) for _, name, _ in kind_of(message).columns]
            _CHECKS.get(message.kind, check_hashes)(columns, (part,))
            yield message, part

    def without(self, held: list[tuple[Message, tuple[bytes, ...]]]) -> "Draft":
        """Return what is left to sign after `held`, with the moments of these messages.

        Raises:
            OtherStatements: A held message is of another kind, signer or wording, or names other hashes.
        """
        template, named = self.template, set(self.hashes)
        for message, hashes in held:
            if not isinstance(message, type(template)) or self._terms(message) != self._terms(template):
                raise OtherStatements("the folder holds messages that say something else")
            if not named.issuperset(hashes):
                raise OtherStatements("the folder holds messages about other licenses")
            template = message
        done = {one for _, hashes in held for one in hashes}
        return replace(
            self, template=template, hashes=tuple(one for one in self.hashes if one not in done)
        )

    def _terms(self, message: Statement) -> dict[str, Any]:
        """Return the fields that the user chose."""
        names = {one.name for one in fields(message)} - _OF_THE_LIST - self.floating
        return {name: getattr(message, name) for name in names}


def _sublicense(one: Sublicense) -> Iterator[str]:
    yield f"that {address_text(one.grantee)} is your customer, for which purposes, and until when"
    yield "which licenses you pass on, and so how many people your data is from"
    if one.parent != NOTHING:
        yield "from whom you have them: the sublicense that you name as parent"


def _use(one: Use) -> Iterator[str]:
    yield f"which licenses you used for {one.purpose}, how many, and when"
    if one.run:
        yield f"the name of the run: {one.run}"
    if one.record != NOTHING:
        yield "the hash of the record, which shows its contents only to those who have it"


def _removal(one: Removal) -> Iterator[str]:
    yield "which licenses you held, and that you removed what is revoked of them"
    if one.record != NOTHING:
        yield "the hash of the record, which shows its contents only to those who have it"


def _dispute(one: Dispute) -> Iterator[str]:
    yield f"which {one.subject} you dispute, and why: {one.code}"
    if one.subject == "files":
        yield "that your address belongs to a person whom these files show"


_PUBLIC: Final[dict[int, Callable[[Any], Iterator[str]]]] = {
    SUBLICENSE: _sublicense,
    USE: _use,
    REMOVAL: _removal,
    DISPUTE: _dispute,
}


def becomes_public(draft: Draft) -> list[str]:
    """Return what everybody can read after these messages are sent, in sentences without a period."""
    told = list(_PUBLIC[draft.template.kind](draft.template))
    if draft.count > 1:
        told.append(f"that these {draft.count:,} messages belong together, because they say the same")
    return [*told, _SEEN]
