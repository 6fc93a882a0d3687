"""Several nodes: one that knows of a revocation is enough, and none may be silent."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from nacl.signing import SigningKey

from cli.conftest import OUTPUTS, QUERY, denied
from cli.gate.conftest import Buyer
from sayso.gate.judges.verdicts import strictest
from sayso.networks import save_network
from sayso_protocol.network_file import Operator
from sayso_protocol.verdicts.verdict import Reason
from support.fake_node import FakeNode, running


@pytest.fixture
def south(buyer: Buyer) -> Iterator[FakeNode]:
    """A second node, trusted too, that knows the consents and hears no revocation."""
    node = FakeNode()
    node.key = SigningKey(b"s" * 32)
    for envelope in buyer.node.memory.envelopes.values():
        node.memory.add(envelope)
    with running(node) as fake:
        operator = Operator("South", bytes(node.key.verify_key), url=fake.url)
        north = buyer.node.trusted
        trusted = replace(north, operators=(*north.operators, operator))
        save_network(buyer.folder / "network.toml", trusted)
        yield fake


def both(buyer: Buyer, south: FakeNode) -> tuple[str, ...]:
    return ("--node", south.url, "--node", buyer.node.url)


def test_a_revocation_that_one_knows_wins(buyer: Buyer, south: FakeNode) -> None:
    buyer.revoke()
    alone = buyer.check("m.jsonl", "--node", south.url)
    assert "4 clear" in alone.stdout
    result = buyer.check("m.jsonl", *both(buyer, south), *OUTPUTS, status=3)
    assert "3 clear, 1 not clear" in result.stdout
    assert "disagree about 1 row" in result.stdout
    assert "answers of South: 4 granted" in result.stdout
    assert [one["file"] for one in buyer.world.rows("kept.jsonl")] == ["a.flac", "c.flac", "d.flac"]
    files = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")
    told = buyer.world.run("receipt", "verify", "receipt.json", *files).stdout
    assert "South, Fake" in told


def test_a_row_is_clear_only_if_all_say_so(buyer: Buyer, south: FakeNode) -> None:
    south.memory.envelopes.clear()
    result = buyer.check("m.jsonl", *both(buyer, south), "--json", status=3)
    answer = json.loads(result.stdout)
    assert (answer["reasons"], answer["differing"]) == ({"unknown": 4}, 4)


def test_a_node_that_is_down_is_an_error_not_a_vote_less(buyer: Buyer, south: FakeNode) -> None:
    nobody = ("--node", "http://127.0.0.1:1")
    denied(buyer.world, "node-unreachable", "m.jsonl", *nobody)
    denied(buyer.world, "node-unreachable", "m.jsonl", *both(buyer, south), *nobody)


def test_a_node_that_lies_about_the_rows_is_an_error(buyer: Buyer, south: FakeNode) -> None:
    south.twist = lambda route, answer: answer | {"reasons": b"\2\1\1\1"} if route == "check" else answer
    denied(buyer.world, "bad-proof", "m.jsonl", *both(buyer, south))


def test_one_node_under_two_names_has_one_word(buyer: Buyer) -> None:
    twice = ("--node", buyer.node.url, "--node", buyer.node.url.replace("127.0.0.1", "localhost"))
    buyer.world.fails("node-refused", "check", "m.jsonl", *QUERY, *twice)


def test_each_request_has_a_nonce_of_its_own(
    buyer: Buyer, south: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each node, each part and each repeat, so that no receipt answers another request."""
    monkeypatch.setattr("sayso.gate.judges.nodes.STALE_POLL_S", 0.0)
    monkeypatch.setattr("sayso.gate.formats.tables.parquet.ROWS_AT_ONCE", 1)
    south.stale_checks = 1
    buyer.parquet()
    buyer.check("m.parquet", *both(buyer, south), "--wait", "60s")
    nonces = [one["nonce"] for node in (buyer.node, south) for one in node.checks]
    assert len(nonces) == len(set(nonces)) == 2 * len(buyer.rows) + 1
    assert {len(one) for one in nonces} == {16}


def test_the_strictest_answer() -> None:
    order = [
        Reason.REVOKED,
        Reason.DISPUTED,
        Reason.EXPIRED,
        Reason.WITHDRAWN,
        Reason.OTHER_GRANTEE,
        Reason.PURPOSE_NOT_GRANTED,
        Reason.NOT_YET_VALID,
        Reason.INCOMPLETE,
        Reason.UNKNOWN,
        Reason.STALE,
        Reason.GRANTED,
    ]
    assert set(order) == set(Reason)
    for at, stricter in enumerate(order):
        for other in order[at:]:
            answers = [bytes([one.number]) for one in (stricter, other)]
            for some in (answers, answers[::-1]):
                assert strictest(some) == (bytes([stricter.number]), int(stricter is not other))
    known = {one.number for one in Reason}
    for number in set(range(256)) - known:
        merged, _ = strictest([bytes([number]), bytes([Reason.GRANTED.number])])
        assert merged == bytes([Reason.REVOKED.number])
