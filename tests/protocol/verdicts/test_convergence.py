"""Nodes that hear the same messages agree, in whatever way; networks share revocations alone."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import WrongNetwork
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.state_digest import StateEntry
from sayso_protocol.primitives import NOBODY
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Reason, Row, verdict
from support.histories import BASE, ITEMS, Message, histories, questions
from support.known import Known, license_hash
from support.protocol_strategies import ADA, NETWORK, a_consent, signed
from support.receipt_values import state_digest

OTHER = Network(1, NETWORK.registry)


@dataclass
class Replica:
    """A node that passes on what it heard."""

    log: list[Message] = field(default_factory=list)

    def hear(self, messages: list[Message]) -> None:
        self.log += [one for one in messages if one not in self.log]

    @property
    def known(self) -> Known:
        return Known(self.log)


def state_of(known: Known) -> bytes:
    """Rule 9.3, from dictionaries: the bits of everybody in a held consent."""
    consents = [held.consent for held in known.licenses.values()]
    people = {one for consent in consents for one in (consent.contributor, consent.guardian)} - {NOBODY}
    entries: list[StateEntry] = [
        (person, word, mask) for person in people for word, mask in known.bits(person).items()
    ]
    return state_digest(entries)


@given(histories(), st.integers(2, 4), st.data())
def test_nodes_that_met_give_the_same_verdicts_and_state(
    history: list[Message], count: int, data: st.DataObject
) -> None:
    """Any split of the messages, any order, any repeats; then everybody meets, in any order."""
    replicas = [Replica() for _ in range(count)]
    for message in history:
        for replica in data.draw(st.lists(st.sampled_from(replicas), min_size=1, max_size=3)):
            replica.hear([message])
    meetings = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    for one, other in data.draw(st.lists(meetings, max_size=6)):
        replicas[one].hear(replicas[other].log)
    for replica in replicas[1:]:  # round: to the first, and back
        replicas[0].hear(replica.log[::-1])
    for replica in replicas[1:]:
        replica.hear(replicas[0].log)
    asked = questions(history)
    expected = [verdict(Known(history), *one) for one in asked]
    for replica in replicas:
        assert [verdict(replica.known, *one) for one in asked] == expected
        assert state_of(replica.known) == state_of(Known(history))


@given(histories(), st.data())
def test_a_node_that_knows_more_refuses_more(history: list[Message], data: st.DataObject) -> None:
    """What is clear to whoever heard all revocations is clear to whoever heard some of them."""
    fewer = [one for one in history if isinstance(one, License) or data.draw(st.booleans())]
    for question in questions(history):
        if verdict(Known(history), *question) is Reason.GRANTED:
            assert verdict(Known(fewer), *question) is Reason.GRANTED


@given(histories())
def test_a_revocation_holds_on_every_network(history: list[Message]) -> None:
    """The consents of another network have other license hashes, and the same bits."""
    stops = [one for one in history if isinstance(one, Revocation)]
    for held in (one for one in history if isinstance(one, License)):
        there = digest(held.consent, OTHER)
        known = _Elsewhere([*stops, held], there)
        for item in held.items:
            query, now = Query(held.consent.grantee, held.consent.purposes[0]), BASE + 60
            here = verdict(Known([*stops, held]), Row(license_hash(held.consent), item), query, now)
            assert verdict(known, Row(there, item), query, now) == here


class _Elsewhere(Known):
    """Knows a license by its hash on another network."""

    def __init__(self, heard: list[Message], elsewhere: bytes) -> None:
        super().__init__(heard)
        (self.licenses,) = ({elsewhere: one} for one in self.licenses.values())


def test_a_consent_holds_on_one_network_alone() -> None:
    envelope = signed(a_consent(ITEMS), ITEMS)
    with pytest.raises(WrongNetwork):
        decode(encode(envelope), OTHER)


def test_a_revocation_is_the_same_message_on_every_chain() -> None:
    stop = encode(signed(Revocation(ADA, ("everything",))))
    here, there = decode(stop, NETWORK), decode(stop, OTHER)
    assert isinstance(here, Envelope)
    assert here.digest == there.digest
