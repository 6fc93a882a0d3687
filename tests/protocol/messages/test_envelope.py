"""Envelopes: what goes in comes out, and nothing else comes in (rules 3.x, 4.6, 6.1 and 6.2)."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol import network as network_module
from sayso_protocol.encoding.eip712 import domain_separator
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import (
    BadSignature,
    InvalidConsent,
    InvalidPurpose,
    InvalidRevocation,
    InvalidScope,
    Malformed,
    NotCanonical,
    NotSponsored,
    SaysoError,
    TooLarge,
    WrongNetwork,
)
from sayso_protocol.messages.envelope import Envelope, decode, decode_all, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.signatures.wallets import EoaVerifier
from support.packed import unpack
from support.protocol_strategies import (
    ADA,
    BEN,
    NETWORK,
    NODE,
    a_consent,
    chain_ids,
    envelopes,
    item_hashes,
    signed,
)

ITEMS = item_hashes(2)
CONSENT = signed(a_consent(ITEMS), ITEMS).sponsored_by(NODE)
REVOCATION = signed(Revocation(ADA, ("everything",), (64, 65), (1, 2)))
SAMPLES = {"consent": CONSENT, "revocation": REVOCATION}


def is_the_same(data: bytes, original: Envelope) -> bool:
    """Whether these bytes pass as the original message, signatures included."""
    try:
        envelope = decode(data, original.network)
        envelope.check_signatures(EoaVerifier())
    except SaysoError:
        return False
    return envelope.digest == original.digest


@given(envelopes())
def test_an_envelope_reads_back_as_itself(envelope: Envelope) -> None:
    data = encode(envelope)
    again = decode(data, envelope.network)
    assert again == envelope
    assert encode(again) == data
    again.check_signatures(EoaVerifier())


@given(envelopes(), st.data())
def test_a_changed_byte_never_passes_as_the_same_message(
    envelope: Envelope, data: st.DataObject
) -> None:
    changed = bytearray(encode(envelope))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    assert not is_the_same(bytes(changed), envelope)


@pytest.mark.parametrize("envelope", SAMPLES.values(), ids=SAMPLES)
def test_a_flipped_bit_in_any_byte_never_passes_as_the_same_message(envelope: Envelope) -> None:
    whole = encode(envelope)
    for at in range(len(whole)):
        for bit in (at % 8, -at % 8, 7):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            assert not is_the_same(bytes(changed), envelope), (at, bit)


@pytest.mark.parametrize("envelope", SAMPLES.values(), ids=SAMPLES)
def test_truncated_or_lengthened_bytes_are_malformed(envelope: Envelope) -> None:
    whole = encode(envelope)
    for data in [*(whole[:end] for end in range(len(whole))), whole + b"\0", whole + whole]:
        with pytest.raises(Malformed):
            decode(data, NETWORK)


@given(st.binary(max_size=400))
def test_only_our_errors_come_out_of_bytes(data: bytes) -> None:
    with pytest.raises(SaysoError):
        decode(data, NETWORK)


plain = st.recursive(
    st.none() | st.integers(0, 70) | st.binary(max_size=40) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=6,
)


@given(envelopes(), plain, st.data())
def test_only_our_errors_come_out_of_a_changed_value(
    envelope: Envelope, value: Any, data: st.DataObject
) -> None:
    tree = unpack(encode(envelope))
    place = tree if data.draw(st.booleans()) else tree[2]
    place[data.draw(st.integers(0, len(place) - 1))] = value
    changed = pack(tree)
    try:
        decoded = decode(changed, envelope.network)
    except SaysoError:
        return
    assert encode(decoded) == changed


Change = Callable[[list[Any]], object]


def put(*path: int, value: Any) -> Change:
    """Set one place of the array."""

    def change(tree: list[Any]) -> None:
        for step in path[:-1]:
            tree = tree[step]
        tree[path[-1]] = value

    return change


CONSENT_CHANGES: list[tuple[str, Change, type[SaysoError]]] = [
    ("no fields", lambda tree: tree.clear(), Malformed),
    ("a field too few", lambda tree: tree.pop(), Malformed),
    ("a field too many", lambda tree: tree.append(None), Malformed),
    ("version 0", put(0, value=0), Malformed),
    ("version 2", put(0, value=2), Malformed),
    ("version as text", put(0, value="1"), Malformed),
    ("kind 0", put(1, value=0), Malformed),
    ("kind 3", put(1, value=3), Malformed),
    ("kind of a revocation", put(1, value=2), Malformed),
    ("struct is nil", put(2, value=None), Malformed),
    ("struct is short", lambda tree: tree[2].pop(), Malformed),
    ("struct is long", lambda tree: tree[2].append(0), Malformed),
    ("items as bytes", put(3, value=b"".join(ITEMS)), Malformed),
    ("an item as text", put(3, 0, value="a"), Malformed),
    ("items missing", put(3, value=[]), InvalidConsent),
    ("another item", put(3, 0, value=b"\x01" * 32), InvalidConsent),
    ("signature is nil", put(4, value=None), Malformed),
    ("network is nil", put(5, value=None), Malformed),
    ("network is short", put(5, value=[1]), Malformed),
    ("registry is short", put(5, value=[31337, b"\x01"]), Malformed),
    ("chain id as bytes", put(5, value=[b"\x01", NETWORK.registry]), Malformed),
    ("another chain", put(5, value=[1, NETWORK.registry]), WrongNetwork),
    ("1.1 chain id 0", put(5, value=[0, NETWORK.registry]), Malformed),
    ("1.1 chain id 2^53", put(5, value=[1 << 53, NETWORK.registry]), Malformed),
    ("another registry", put(5, value=[31337, b"\x01" * 20]), WrongNetwork),
    ("sponsor as bytes", put(6, value=b""), Malformed),
    ("sponsor is short", put(6, value=[bytes(32)]), Malformed),
    ("4.6 another notice", put(2, 0, value="I allow nothing."), InvalidConsent),
    ("4.6 no notice", put(2, 0, value=""), InvalidConsent),
    ("contributor as text", put(2, 1, value="0x"), Malformed),
    ("parties as text", put(2, 2, value="0x"), Malformed),
    ("a party as text", put(2, 2, value=["0x"]), Malformed),
    ("3.1 short contributor", put(2, 1, value=b"\x01"), InvalidConsent),
    ("3.1 other parties", put(2, 2, value=[BEN]), InvalidConsent),
    ("via is nil", put(2, 4, value=None), Malformed),
    ("3.6 via upper case", put(2, 4, value="KLED.AI"), InvalidScope),
    ("3.2 no items", put(2, 6, value=0), InvalidConsent),
    ("3.2 uint32 overflow", put(2, 6, value=2**32 + 2), InvalidConsent),
    ("3.3 no purposes", put(2, 7, value=[]), InvalidConsent),
    ("3.3 a bad name", put(2, 7, value=["Train-ai"]), InvalidPurpose),
    ("3.5 terms over http", put(2, 9, value="http://kled.ai"), InvalidConsent),
    ("issuedAt is nil", put(2, 11, value=None), Malformed),
    ("3.4 backwards", put(2, 12, value=1), InvalidConsent),
    ("3.4 the end of time", put(2, 12, value=2**64 - 1), InvalidConsent),
]
REVOCATION_CHANGES: list[tuple[str, Change, type[SaysoError]]] = [
    ("kind of a consent", put(1, value=1), Malformed),
    ("with items", put(3, value=[bytes(32)]), Malformed),
    ("network is nil", put(5, value=None), Malformed),
    ("network is short", put(5, value=[31337]), Malformed),
    ("registry is short", put(5, value=[31337, NETWORK.registry[1:]]), Malformed),
    ("registry is text", put(5, value=[31337, "a" * 20]), Malformed),
    ("chain id is negative", put(5, value=[-1, NETWORK.registry]), Malformed),
    ("another registry", put(5, value=[31337, b"\x01" * 20]), WrongNetwork),
    ("another registry on another chain", put(5, value=[1, b"\x01" * 20]), WrongNetwork),
    ("1.1 chain id 0", put(5, value=[0, NETWORK.registry]), Malformed),
    ("1.1 chain id 0 of another registry", put(5, value=[0, b"\x01" * 20]), Malformed),
    ("1.1 chain id 2^53", put(5, value=[1 << 53, NETWORK.registry]), Malformed),
    ("1.1 chain id 2^64 - 1", put(5, value=[2**64 - 1, NETWORK.registry]), Malformed),
    ("with a sponsor", put(6, value=[bytes(32), bytes(64)]), Malformed),
    ("4.6 another notice", put(2, 0, value="I revoke a little."), InvalidRevocation),
    ("3.8 short contributor", put(2, 1, value=b"\x01"), InvalidRevocation),
    ("3.8 nobody", put(2, 1, value=bytes(20)), InvalidRevocation),
    ("a scope as bytes", put(2, 2, value=[b"everything"]), Malformed),
    ("5.3 an empty scope", put(2, 2, value=[""]), InvalidScope),
    ("3.8 too many scopes", put(2, 2, value=["everything"] * 17), InvalidRevocation),
    ("a word as integer", put(2, 3, value=[64, 65]), Malformed),
    ("a short word", put(2, 3, 0, value=b"\x01"), Malformed),
    ("a long word", put(2, 3, 0, value=bytes(33)), Malformed),
    ("3.9 a scope word", put(2, 3, 0, value=b"\0\x80" + bytes(30)), InvalidRevocation),
    ("3.9 a word beyond uint248", put(2, 3, 0, value=b"\xff" * 32), InvalidRevocation),
    ("3.9 an empty mask", put(2, 4, 0, value=bytes(32)), InvalidRevocation),
    ("3.9 a mask too few", lambda tree: tree[2][4].pop(), InvalidRevocation),
]


def changed(envelope: Envelope, change: Change) -> bytes:
    tree = unpack(encode(envelope))
    change(tree)
    return pack(tree)


@pytest.mark.parametrize(
    ("change", "error"), [row[1:] for row in CONSENT_CHANGES], ids=[row[0] for row in CONSENT_CHANGES]
)
def test_a_consent_with_a_wrong_field_is_refused(change: Change, error: type[SaysoError]) -> None:
    with pytest.raises(error):
        decode(changed(CONSENT, change), NETWORK)


@pytest.mark.parametrize(
    ("change", "error"),
    [row[1:] for row in REVOCATION_CHANGES],
    ids=[row[0] for row in REVOCATION_CHANGES],
)
def test_a_revocation_with_a_wrong_field_is_refused(change: Change, error: type[SaysoError]) -> None:
    with pytest.raises(error):
        decode(changed(REVOCATION, change), NETWORK)


@given(chain_ids)
def test_a_revocation_is_accepted_under_any_chain_id(chain_id: int) -> None:
    """Rule 6.2.3."""
    there = signed(REVOCATION.message, network=Network(chain_id, NETWORK.registry))
    read = decode(encode(there), NETWORK)
    read.check_signatures(EoaVerifier())
    assert (read.network, read.digest) == (there.network, there.digest)
    assert (read.digest == REVOCATION.digest) is (chain_id == NETWORK.chain_id)


def test_the_chain_id_is_signed() -> None:
    """Whoever carries a revocation to another chain says under which chain id it was signed."""
    moved = decode(changed(REVOCATION, put(5, value=[1, NETWORK.registry])), NETWORK)
    with pytest.raises(BadSignature):
        moved.check_signatures(EoaVerifier())


def test_each_revocation_of_a_bundle_is_under_its_own_chain_id() -> None:
    ids = [1, 31337, 2, 31337, (1 << 53) - 1, 1]
    sent = [signed(REVOCATION.message, network=Network(one, NETWORK.registry)) for one in ids]
    read = decode_all([*map(encode, sent), encode(CONSENT)], NETWORK)
    assert read == [*sent, CONSENT]
    for envelope in read:
        assert isinstance(envelope, Envelope)
        envelope.check_signatures(EoaVerifier())


def test_a_foreign_registry_spoils_its_own_message_alone() -> None:
    elsewhere = encode(signed(REVOCATION.message, network=Network(1, b"\x01" * 20)))
    first, wrong, last = decode_all([encode(REVOCATION), elsewhere, encode(REVOCATION)], NETWORK)
    assert (first, last) == (REVOCATION, REVOCATION)
    assert isinstance(wrong, WrongNetwork)


def test_domains_are_hashed_once_for_each_chain_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many foreign chain ids in a bundle cost one hash each, and equal ones together one."""
    hashed = list[int]()

    def counted(chain_id: int, registry: bytes) -> bytes:
        hashed.append(chain_id)
        return domain_separator(chain_id, registry)

    monkeypatch.setattr(network_module, "domain_separator", counted)
    sent = [signed(REVOCATION.message, network=Network(one, NETWORK.registry)) for one in (1, 2, 3)]
    bodies = [encode(one) for one in sent for _ in range(20)]
    hashed.clear()
    assert len(decode_all(bodies, NETWORK)) == len(bodies)
    assert sorted(hashed) == [1, 2, 3]


def test_another_encoding_of_a_message_is_refused() -> None:
    whole = encode(REVOCATION)
    longer = [b"\xdc\x00\x07" + whole[1:], b"\x97\xcc\x01" + whole[2:]]
    for data in longer:
        with pytest.raises(NotCanonical):
            decode(data, NETWORK)


def test_the_names_of_fields_are_not_on_the_wire() -> None:
    tree = unpack(encode(REVOCATION))
    as_map = b"\x87" + b"".join(pack(number) + pack(one) for number, one in enumerate(tree))
    with pytest.raises(Malformed):
        decode(as_map, NETWORK)


def test_a_message_may_have_64_kib_and_no_more() -> None:
    with pytest.raises(TooLarge):
        encode(Envelope(REVOCATION.message, NETWORK, bytes(65_536)))
    largest = encode(REVOCATION).ljust(65_536, b"\0")
    with pytest.raises(Malformed):  # it is looked at
        decode(largest, NETWORK)
    with pytest.raises(TooLarge):
        decode(largest + b"\0", NETWORK)


def test_a_consent_between_peers_needs_a_sponsor() -> None:
    """Rule 7.3."""
    CONSENT.check_sponsored()
    REVOCATION.check_sponsored()
    with pytest.raises(NotSponsored):
        signed(a_consent(ITEMS), ITEMS).check_sponsored()


def test_a_sponsor_signs_for_one_license_hash() -> None:
    other = a_consent(ITEMS, grantee=ADA)
    stolen = Envelope(other, NETWORK, signed(other).signature, ITEMS, CONSENT.sponsor)
    with pytest.raises(BadSignature):
        stolen.check_signatures(EoaVerifier())


def test_nobody_signs_for_another() -> None:
    mine = signed(Revocation(BEN, ("everything",)))
    with pytest.raises(BadSignature):
        Envelope(Revocation(ADA, ("everything",)), NETWORK, mine.signature).check_signatures(
            EoaVerifier()
        )


@given(st.lists(envelopes(), max_size=5), st.lists(st.binary(max_size=60), max_size=2), st.randoms())
def test_many_at_once_are_read_as_one_by_one(
    good: list[Envelope], bad: list[bytes], random: Random
) -> None:
    """What is wrong with one says nothing about the others."""
    bodies = [*map(encode, good), *bad]
    random.shuffle(bodies)
    for network in {NETWORK, *(one.network for one in good)}:
        together = decode_all(bodies, network)
        alone = [decode_all([data], network)[0] for data in bodies]
        assert list(map(described, together)) == list(map(described, alone))


def described(outcome: Envelope | SaysoError) -> object:
    if isinstance(outcome, Envelope):
        return outcome, outcome.digest == digest(outcome.message, outcome.network), hash(outcome)
    return type(outcome), str(outcome)


@pytest.mark.parametrize("name", ["notice", "items"])
def test_one_wrong_consent_among_many_is_found(name: str) -> None:
    """A table is checked as a whole, but refused row by row."""
    tree = unpack(encode(CONSENT))
    if name == "notice":
        tree[2][0] = "I allow nothing."
    else:
        tree[3].reverse()
    bodies = [encode(signed(a_consent(ITEMS, grantee=grantee), ITEMS)) for grantee in (ADA, BEN)]
    outcomes = decode_all([bodies[0], pack(tree), bodies[1]], NETWORK)
    assert [type(one) for one in outcomes] == [Envelope, InvalidConsent, Envelope]
    assert decode_all([], NETWORK) == []
