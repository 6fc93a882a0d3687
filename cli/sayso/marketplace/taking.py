"""Signed consents, as browsers bring them back: input of strangers, compared with what was asked for.

A person may give less than was asked (fewer files or purposes, an earlier end, stricter clocks, another
guardian), never something else. An answer that comes twice changes nothing, also if its request is over.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection, select

from sayso.errors import NotLicensed, OtherConsent, UnknownRequest
from sayso.marketplace.items import kept
from sayso.marketplace.outbox import put
from sayso.marketplace.requests import ConsentRequest, is_token, request_of
from sayso.marketplace.tables import consents, insert_once, rows
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed, Unsupported
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text, bytes_from_text, hex_text
from sayso_protocol.signatures.wallets import EoaVerifier

ANSWER_TYPE: Final = "sayso-consent-1"  # of a message from the page of a node
ANSWER_BYTES: Final = 8 << 20
LICENSES: Final = 64  # in an answer and of a request, of 1,024 items each
Taken = tuple[Envelope, ...]


def read_answer(answer: bytes, network: Network) -> Taken:
    """Read the page's answer, or its list of licenses, and verify the signatures of keys.

    Signatures of contract wallets are verified by nodes; until then nothing of them is in stock.

    Raises:
        Malformed, TooLarge: It is not such an answer, or too long.
        BadSignature: A wallet did not sign its consent. See `decode` for other errors.
    """
    value = parse_json(answer, most=ANSWER_BYTES)
    if isinstance(value, dict) and value.get("type") == ANSWER_TYPE:
        value = value.get("licenses")
    if not isinstance(value, list) or not 0 < len(value) <= LICENSES:
        raise Malformed(f"an answer has 1 to {LICENSES} licenses")
    return tuple(_read(one, network) for one in value)


def _read(value: Any, network: Network) -> Envelope:
    if not isinstance(value, dict) or not isinstance(value.get("envelope"), str):
        raise Malformed("a license of the answer has no envelope")
    envelope = decode(bytes_from_text(value["envelope"], LIMITS.message_bytes), network)
    if not isinstance(envelope.message, Consent):
        raise OtherConsent("the answer holds a message that is not a consent")
    if value.get("license") != hex_text(envelope.digest):
        raise Malformed("the answer names another license than its envelope")
    with suppress(Unsupported):
        envelope.check_signatures(EoaVerifier())
    return envelope


def take(
    db: Connection, token: str, envelopes: Taken, now: float
) -> tuple[ConsentRequest, dict[bytes, bool]]:
    """Take consents in, and put them into the outbox; returns for each license whether it is new.

    Raises:
        UnknownRequest: There is no such request, or it is over.
        NotLicensed: A consent names another grantee.
        OtherConsent: A consent is not what was asked for, or was given for another request.
        WrongItem: The shop does not keep a file of a consent.
    """
    request = request_of(db, token)
    known = {one.digest: _token_of(db, one.digest) for one in envelopes}
    if any(one not in (None, request.token) for one in known.values()):
        raise OtherConsent("this consent was given for another request")
    for one in envelopes:
        if known[one.digest] is None:
            if now > request.valid_until:
                raise UnknownRequest("this request is over; make a new one")
            if len(licenses_of_request(db, request.token)) >= LICENSES:
                raise OtherConsent(f"this request has {LICENSES} consents; make a new one")
            _compare(one, request.body)
            kept(db, one.items)
            _store(db, one, request)
    return request, {name: token is None for name, token in known.items()}


def licenses_of_request(db: Connection, token: str) -> list[bytes]:
    """Return the licenses that answered a request, in order; none of a token that nobody made."""
    if not is_token(token):
        return []
    asked = select(consents.c.license).where(consents.c.token == token)
    return list(db.execute(asked.order_by(consents.c.license)).scalars())


def _token_of(db: Connection, license_: bytes) -> str | None:
    found = db.execute(select(consents.c.token).where(consents.c.license == license_)).scalar()
    return None if found is None else str(found)


def _compare(envelope: Envelope, body: Mapping[str, Any]) -> None:
    """Raise NotLicensed or OtherConsent for a consent that is not what was asked for."""
    consent = envelope.message
    assert isinstance(consent, Consent)  # noqa: S101 - read_answer lets nothing else pass
    if address_text(consent.grantee) != body["grantee"]:
        raise NotLicensed(f"the consent is given to {address_text(consent.grantee)}, not to the shop")
    parties = {consent.contributor, *_addresses(body.get("parties", []))}
    equal = {
        "via": (consent.via, body.get("via", "")),
        "terms": (hex_text(consent.terms), body.get("terms", hex_text(bytes(32)))),
        "terms_uri": (consent.terms_uri, body.get("terms_uri", "")),
        "parties": ({*consent.parties}, parties),
        "contributor": (
            address_text(consent.contributor),
            body.get("contributor", address_text(consent.contributor)),
        ),
    }
    wrong = [name for name, (given, asked) in equal.items() if given != asked]
    within: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "purposes": (consent.purposes, body["purposes"]),
        "items": ([hex_text(one) for one in envelope.items], body["items"]),
    }
    wrong += [name for name, (given, asked) in within.items() if not {*given} <= {*asked}]
    clocks = {
        "expires": consent.expires_at,
        "recheck_hours": consent.recheck_hours,
        "removal_days": consent.removal_days,
    }
    wrong += [name for name, given in clocks.items() if given > body.get(name, given)]
    if wrong:
        raise OtherConsent(f"the consent differs from the request in: {', '.join(wrong)}")


def _addresses(texts: Sequence[str]) -> list[bytes]:
    return [address_from_text(one) for one in texts]


def _store(db: Connection, envelope: Envelope, request: ConsentRequest) -> None:
    consent = envelope.message
    assert isinstance(consent, Consent)  # noqa: S101 - read_answer lets nothing else pass
    put(db, [envelope], request.reference)
    row = {
        "license": envelope.digest,
        "token": request.token,
        "contributor": consent.contributor,
        "guardian": consent.guardian,
        "parties": b"".join(consent.parties),
        "purposes": f",{','.join(consent.purposes)},",
        "issued_at": consent.issued_at,
        "expires_at": consent.expires_at,
        "removal_days": consent.removal_days,
        "checked_at": None,
    }
    insert_once(db, consents, [row])
    insert_once(db, rows, [{"license": envelope.digest, "item": one} for one in envelope.items])
