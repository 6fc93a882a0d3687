"""Declarations of routes: their parameters, bodies, media types and caching.

The router and the OpenAPI document use these declarations, so no other code compares paths.
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
JSON_BYTES: Final = 1_048_576  # of a body, unless its route declares another limit
FOUND: Final = {200: "Here it is."}


class Body(NamedTuple):
    """A request body.

    Attributes:
        value: Type of its value; a text describes bytes.
        limit: Highest size in bytes, uncompressed.
        offers: Media types of the answer.
    """

    value: Any
    limit: int = JSON_BYTES
    offers: tuple[str, ...] = MEDIA_TYPES


@dataclass(frozen=True, eq=False)
class Operation:
    """The declaration of a route.

    Attributes:
        name: Its `operationId`.
        about: Description in one sentence.
        value: Type of the answer; None if the answer is not a value.
        statuses: Statuses of answers with that value, with their meaning.
        query: Struct of the query's names; those without a default are required. None allows any query.
        headers: Request headers that it reads, with their JSON Schemas.
        takes: Media type -> body.
        offers: Media types of the answer, the preferred one first; empty if the route chooses itself.
        is_kept: Whether a client may cache the answer and ask whether it has changed.
        has_head: Whether HEAD is answered as well.
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
        """Return the media types of the answer to a body of this media type."""
        body = self.takes.get(kind)
        return body.offers if body else self.offers

    @cached_property
    def asked(self) -> Mapping[str, bool] | None:
        """Return the names of the query, each with whether it is required; None allows any query."""
        return (
            None if self.query is None else {one.encode_name: one.required for one in fields(self.query)}
        )
