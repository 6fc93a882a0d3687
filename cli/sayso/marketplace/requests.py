"""Requests for consent, as the page of a node reads them (docs/reference/page.md).

A request is kept under an unguessable token before anybody sees it. Whoever answers gives the token, so
an answer is compared with what was asked, and not with what the browser says was asked.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import Connection, select

from sayso.errors import NothingToGrant, UnknownRequest
from sayso.marketplace.tables import DAY_S, insert_once, requests, whole_seconds
from sayso_protocol.errors import InvalidConsent, TooLarge
from sayso_protocol.permissions.purposes import check_purpose
from sayso_protocol.primitives import NOBODY, address_text, hex_text, sha256

TOKEN_BYTES: Final = 32
_TOKEN: Final = re.compile(f"[0-9a-f]{{{2 * TOKEN_BYTES}}}")
REQUEST_TYPE: Final = "sayso-request-1"  # of a message to the page of a node
TERMS_LETTERS: Final = 200_000  # that the page shows
LINK_BYTES: Final = 32_768  # longer addresses are cut by some browsers and messengers


def is_token(text: str) -> bool:
    """Return whether a stranger's text may be a token; databases do not take every text."""
    return _TOKEN.fullmatch(text) is not None


def end_of_day(time: int) -> int:
    """Return the last second of a time's day in UTC, seconds since the epoch."""
    return time - time % DAY_S + DAY_S - 1


@dataclass(frozen=True)
class Wanted:
    """Wanted is what a marketplace asks for.

    Attributes:
        items: Item hashes of files that the shop keeps, 32 bytes each.
        purposes: Names of purposes; `resale` lets the shop pass on.
        expires_at: Seconds since the epoch. Pages ask people for a day, so its end (UTC) is asked for.
        parties: All other people in the content, 20 bytes each.
        contributor: Who has to sign, 20 bytes; None for whoever has the token.
        guardian: An address that may also revoke, which the person may change.
        terms: The license text, shown to the person; its SHA-256 is signed.
        terms_uri: Its `https` address.
        recheck_hours, removal_days: The clocks; None leaves them to the page.
    """

    items: tuple[bytes, ...]
    purposes: tuple[str, ...]
    expires_at: int
    parties: tuple[bytes, ...] = ()
    contributor: bytes | None = None
    guardian: bytes = NOBODY
    terms: str = ""
    terms_uri: str = ""
    recheck_hours: int | None = None
    removal_days: int | None = None

    def __post_init__(self) -> None:
        """Round the end down to a second; raises InvalidConsent if it is no time."""
        object.__setattr__(self, "expires_at", whole_seconds(self.expires_at, InvalidConsent))

    def check(self, now: float) -> None:
        """Raise an error for what no page can ask for.

        Raises:
            NothingToGrant: There is no file.
            InvalidPurpose, InvalidConsent: A purpose is invalid, or there is none; the end has passed.
            TooLarge: The text of the terms is longer than pages show.
        """
        if not self.items:
            raise NothingToGrant("a request without files cannot be answered")
        if not {check_purpose(one) for one in self.purposes} or end_of_day(self.expires_at) <= now:
            raise InvalidConsent("a request needs a purpose, and an end in the future")
        if len(self.terms) > TERMS_LETTERS:
            raise TooLarge(f"the terms have more than {TERMS_LETTERS:,} letters")

    def body(self, grantee: bytes, via: str) -> dict[str, Any]:
        """Return the fields of the page's request, and whose answer is taken."""
        fields: dict[str, Any] = {
            "grantee": address_text(grantee),
            "via": via,
            "purposes": sorted(set(self.purposes)),
            "expires": end_of_day(self.expires_at),
            "items": [hex_text(one) for one in dict.fromkeys(self.items)],
            "parties": [address_text(one) for one in self.parties],
            "guardian": address_text(self.guardian) if self.guardian != NOBODY else "",
            "terms": hex_text(sha256(self.terms.encode())) if self.terms else "",
            "terms_uri": self.terms_uri,
            "terms_text": self.terms,
            "recheck_hours": self.recheck_hours,
            "removal_days": self.removal_days,
            "contributor": address_text(self.contributor) if self.contributor else "",
        }
        return {name: value for name, value in fields.items() if value not in ("", None, [])}


@dataclass(frozen=True)
class ConsentRequest:
    """ConsentRequest is a request that the shop keeps.

    Attributes:
        token: Unguessable; whoever answers gives it.
        reference: The shop's own name for what the request is about.
        body: The fields, as `Wanted.body` returns them.
        valid_until: Seconds since the epoch.
    """

    token: str
    reference: str
    body: dict[str, Any]
    valid_until: float

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields that the page reads."""
        return {name: value for name, value in self.body.items() if name != "contributor"}

    @property
    def message(self) -> dict[str, Any]:
        """Return what the shop's page sends to the page of a node by `postMessage`."""
        return {"type": REQUEST_TYPE, "request": self.fields}

    def link(self, node: str) -> str:
        """Return a link to the page of a node with the request.

        The text of the terms is left out of a link that it would make too long; its hash stays. Raises
        TooLarge if the link is too long without it.
        """
        texts = {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in self.fields.items()
        }
        for left_out in ("", "terms_text"):
            texts.pop(left_out, None)
            whole = f"{node.rstrip('/')}/#/allow?{urlencode(texts)}"
            if len(whole) <= LINK_BYTES:
                return whole
        raise TooLarge("a link would be too long for so many files; send the request by postMessage")


def make_request(
    db: Connection,
    body: dict[str, Any],
    reference: str,
    valid_until: float,
    random: Callable[[int], bytes],
) -> ConsentRequest:
    """Keep a request under a new token."""
    one = ConsentRequest(random(TOKEN_BYTES).hex(), reference, body, valid_until)
    row = {"token": one.token, "reference": reference, "body": json.dumps(body)}
    insert_once(db, requests, [row | {"valid_until": valid_until}])
    return one


def request_of(db: Connection, token: str) -> ConsentRequest:
    """Return the request of a token; raises UnknownRequest."""
    row = None
    if is_token(token):
        row = db.execute(select(requests).where(requests.c.token == token)).first()
    if row is None:
        raise UnknownRequest("the shop made no request with this token")
    return ConsentRequest(row.token, row.reference, json.loads(row.body), row.valid_until)
