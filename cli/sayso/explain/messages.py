"""Explanations of messages, with a function for each kind."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from sayso.contributor.revoking import permissions_hit
from sayso.explain import holders
from sayso.explain.sentences import Explanation, count, listed, purpose_text, wallet_line, who
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import (
    CONSENT,
    DISPUTE,
    REMOVAL,
    REVOCATION,
    SUBLICENSE,
    USE,
    as_kind,
    of_kind,
)
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.primitives import NOBODY, address_text, hex_text
from sayso_protocol.signatures.nodes import check_sponsor
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.verdict import License


def explain_envelope(
    envelope: Envelope, trusted: NetworkFile | None, consents: Iterable[Envelope], now: float
) -> Explanation:
    """Explain a signed message; a revocation may hit `consents`."""
    claim = envelope.claim
    unsponsored = replace(envelope, sponsor=None)  # the sponsor's signature has a sentence of its own
    line, error = wallet_line(claim.signer, lambda: unsponsored.check_signatures(EoaVerifier()))
    if not claim.signature and error is None:
        line = (
            f"It has no signature: NOT CHECKED, only the chain shows if {who(claim.signer)} endorsed it."
        )
    lines = EXPLANATIONS[envelope.message.kind](envelope, Context(trusted, tuple(consents), now))
    return Explanation((*lines, line, *_sponsor(envelope, trusted)), error)


class Context(NamedTuple):
    """Context holds the network file, the consents that a revocation may hit, and the time."""

    trusted: NetworkFile | None
    consents: tuple[Envelope, ...]
    now: float


def _consent(envelope: Envelope, context: Context) -> Iterator[str]:
    consent, now = as_kind(envelope.message, Consent), context.now
    yield f"This is a consent: license {hex_text(envelope.digest)}."
    via = f", arranged by {consent.via}" if consent.via else ""
    purposes = listed(purpose_text(one) for one in consent.purposes)
    giver, items = address_text(consent.contributor), count(consent.items, "item")
    yield f"{giver} allows {who(consent.grantee)} to use {items} for {purposes}{via}."
    yield holders.span(consent.issued_at, consent.expires_at, now)
    yield f"An answer about it may be relied on for {count(consent.recheck_hours, 'hour')}."
    days = count(consent.removal_days, "day")
    yield f"Whoever holds its items removes what is revoked within {days} of the revocation."
    if others := [address_text(one) for one in consent.parties if one != consent.contributor]:
        yield f"Nothing may be used unless {listed(others)} has consented, too."
    if consent.guardian != NOBODY:
        yield f"{address_text(consent.guardian)} may revoke it, too."
    yield from holders.license_text(consent.terms, consent.terms_uri)
    yield "It can be taken back at any time. This file does not say whether it was: ask sayso status."
    yield f"It is good on {envelope.network} only{_whose(envelope, context.trusted)}."
    head = f"The hashes of its {items}:" if consent.items > 1 else "The hash of its item:"
    yield from holders.shown(head, [hex_text(item) for item in envelope.items])


def _whose(envelope: Envelope, trusted: NetworkFile | None) -> str:
    if trusted is None:
        return ""
    ours = envelope.network == trusted.network
    return ", which is the network of your network file" if ours else ", which is NOT YOUR NETWORK"


def _sponsor(envelope: Envelope, trusted: NetworkFile | None) -> Iterator[str]:
    sponsor = envelope.sponsor
    if sponsor is None:
        return
    listed_as = {one.key: one.name for one in trusted.operators} if trusted else {}
    name = listed_as.get(sponsor.node_key, f"node {sponsor.node_key.hex()}")
    try:
        check_sponsor(sponsor.node_key, envelope.digest, sponsor.signature)
    except SaysoError:
        yield f"It says that {name} took it in, but that signature is WRONG."
    else:
        yield f"{name} took it in and signed for that."


def _revocation(envelope: Envelope, context: Context) -> Iterator[str]:
    revocation = as_kind(envelope.message, Revocation)
    yield f"This is a revocation: {hex_text(envelope.digest)}."
    yield f"{address_text(revocation.contributor)} takes back, now and for ever:"
    yield from (f"  {scope_meaning(text)}" for text in revocation.scopes)
    if revocation.words:
        bits = sum(mask.bit_count() for mask in revocation.masks)
        words = count(len(revocation.words), "word")
        yield f"  single permissions: {count(bits, 'bit')} in {words}; their consents tell which"
    also = " Its sentences hold for consents to come, too." if revocation.scopes else ""
    yield f"It cannot be undone.{also}"
    yield f"It was signed under {envelope.network}."
    yield f"It counts on every chain with this registry{_at_registry(envelope, context.trusted)}."
    if envelope.claim.is_contract_wallets:
        yield "A contract wallet signed it, so it counts only where that wallet accepts it."
    for one, consent in of_kind(context.consents, Consent):
        yield from _hit(revocation, one.digest, License(consent, one.items))


def _at_registry(envelope: Envelope, trusted: NetworkFile | None) -> str:
    if trusted is None:
        return ""
    ours = envelope.network.registry == trusted.network.registry
    return ", which is that of your network file" if ours else ", which is NOT THAT OF YOUR NETWORK"


def _hit(revocation: Revocation, name: bytes, held: License) -> Iterator[str]:
    known = tuple(text for text in revocation.scopes if _parsed(text))
    if known or revocation.words:
        parsed = Revocation(revocation.contributor, known, revocation.words, revocation.masks)
        if hit := permissions_hit([parsed], held):
            every = count(held.consent.items * len(held.consent.purposes), "permission")
            yield f"It takes back {hit:,} of {every} of license {hex_text(name)}."


def _parsed(text: str) -> Scope | None:
    """Parse a scope; None if it is outside the grammar of this release (rule 5.3)."""
    try:
        return Scope.parse(text)
    except SaysoError:
        return None


_SUBJECTS: Final = {
    "everything": "every permission ever given",
    "agreement": "the whole license with the agreement {}, and every renewal of it",
    "via": "what was licensed through {}",
    "file": "the file {}, in every consent",
    "to": "what was licensed to {}, and every use by that address, whoever was licensed",
    "statement": "the signer's own statement {}",
    "statements": "the signer's own statements, also future ones",
    "statements to": "the signer's own statements to {}, also future ones",
}


def scope_meaning(text: str) -> str:
    """Return what a scope revokes, in plain words."""
    scope = _parsed(text)
    if scope is None:
        return f'"{text}": a sentence that this release does not know'
    kind, _, value = scope.subject.rpartition(" ")
    what = _SUBJECTS[kind or value].format(value)
    only = f", for {purpose_text(scope.purpose)}" if scope.purpose else ""
    ward = scope.ward
    whose = f", of {address_text(ward)}, where a consent names the signer as guardian" if ward else ""
    return f"{what}{only}{whose}"


Explain = Callable[[Envelope, Context], Iterable[str]]


def _statement(explain: Callable[[Envelope, float], Iterable[str]]) -> Explain:
    return lambda envelope, context: explain(envelope, context.now)


EXPLANATIONS: Final[dict[int, Explain]] = {
    CONSENT: _consent,
    REVOCATION: _revocation,
    SUBLICENSE: _statement(holders.sublicense),
    USE: _statement(holders.use),
    REMOVAL: _statement(holders.removal),
    DISPUTE: _statement(holders.dispute),
}
check_rows(EXPLANATIONS, "explanations")
