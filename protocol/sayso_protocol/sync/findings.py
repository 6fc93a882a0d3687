"""What a walk reads and returns: this node's own entries, and what it found out about a peer's."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from sayso_protocol.sync.answers import Listed
from sayso_protocol.sync.fingerprints import Entry, Sum
from sayso_protocol.sync.requests import Request


class View(Protocol):
    """View is a node's own entries, as they are compared with one peer.

    Attributes:
        grain: The level at which the walk stops once, because what was declined is known for nodes of
            this level as a whole (rule 11.11.1).
    """

    grain: int

    def sums(self, nodes: Sequence[int], step: int) -> list[Sum]:
        """Return the sums of all nodes `step` levels below some nodes, in order."""
        ...

    def ids(self, node: int) -> list[bytes] | None:
        """Return the ids of all entries in a node that `sums` counts; None if it does not know them."""
        ...

    def held(self, node: int) -> list[Entry]:
        """Return all entries that this node holds in a node of the tree."""
        ...

    def forget(self, node: int) -> None:
        """Forget what was declined in a node that is about to be compared anew (rule 11.11.1)."""
        ...


@dataclass
class Finding:
    """Finding holds what a part of a walk has found.

    Attributes:
        wanted: Node -> short ids of the messages that this node lacks.
        whole: Small nodes, all of whose messages are wanted.
        theirs: Entries that only the peer has, with their node.
        ours: Entries that only this node has.
        ranges: Nodes in which only the peer has entries.
        untold: The number of further entries that the peer lacks, beside `ours`.
    """

    wanted: dict[int, list[bytes]] = field(default_factory=dict)
    whole: list[int] = field(default_factory=list)
    theirs: list[tuple[int, Listed]] = field(default_factory=list)
    ours: list[Entry] = field(default_factory=list)
    ranges: list[int] = field(default_factory=list)
    untold: int = 0


class Outcome(NamedTuple):
    """Outcome says how a comparison with a peer ended.

    Attributes:
        complete: Whether everything was compared.
        forged: Whether the peer forged a sum (rule 11.6.3).
    """

    complete: bool
    forged: bool


class Differing(NamedTuple):
    """Differing is a node that differs, with this node's own sum and the peer's fingerprint."""

    node: int
    own: Sum
    theirs: bytes


Walk = Generator[Request | Finding, Any, Outcome]
"""A walk (walk.py): it yields requests and findings, and takes answers and digests."""
