"""What a route declares: what it takes, in which forms it answers, how long that may be kept.

Middleware and the OpenAPI document read it from here; nothing compares paths.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from msgspec import Struct
from msgspec.structs import fields

from sayso_node.api.schema.requests import NoQuery

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
EVENTS: Final = "text/event-stream"
OCTETS: Final = "application/octet-stream"
MEDIA_TYPES: Final = (JSON, MSGPACK)  # of a value
JSON_BYTES: Final = 1_048_576  # of a body, if a route says nothing else
FOUND: Final = {200: "Here it is."}


class Body(NamedTuple):
    """A body that a route takes.

    Attributes:
        value: The type of what is in it; a text describes bytes.
        limit: Bytes at most, unpacked.
        offers: The forms of the answer to it.
    """

    value: Any
    limit: int = JSON_BYTES
    offers: tuple[str, ...] = MEDIA_TYPES


@dataclass(frozen=True, eq=False)
class Operation:
    """A route, without what it does.

    Attributes:
        name: Its `operationId`.
        about: One sentence.
        value: The type of the answer; None when it is no value.
        statuses: What the answers with that value mean.
        query: Its fields are what may be asked; those without a default must be. None: anything.
        headers: Header lines that it reads, and the JSON Schema of each.
        takes: Media type -> body.
        offers: The forms of the answer, the preferred one first; empty: the route chooses by itself.
        is_kept: Whether a client may keep the answer and ask whether it has changed.
        has_head: Whether HEAD is answered, too.
    """

    method: str
    path: str
    name: str
    about: str
    value: Any = None
    statuses: Mapping[int, str] = field(default_factory=lambda: FOUND)
    query: type[Struct] | None = NoQuery
    headers: Mapping[str, Any] = field(default_factory=dict)
    takes: Mapping[str, Body] = field(default_factory=dict)
    offers: tuple[str, ...] = MEDIA_TYPES
    is_kept: bool = True
    has_head: bool = True

    def offers_to(self, kind: str) -> tuple[str, ...]:
        """The forms of the answer to a body of this media type."""
        body = self.takes.get(kind)
        return body.offers if body else self.offers

    @cached_property
    def asked(self) -> Mapping[str, bool] | None:
        """The names that a query may have, and whether it must; None: it may be anything."""
        return (
            None if self.query is None else {one.encode_name: one.required for one in fields(self.query)}
        )
