"""Batches of other operators: believed if they give the root on chain, asked for round and round."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sayso_node.batches import fetcher as fetcher_module
from sayso_node.batches.fetcher import BatchFetcher, read_batch
from sayso_node.batches.protocol import answer_batch
from sayso_node.errors import PeerUnreachable, StoreUnusable
from sayso_node.interfaces import Judgement, TransportHandlers
from sayso_node.store.chain import chain_state, intents
from sayso_node.store.chain.chain_state import Anchor
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import BadProof, SaysoError
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.messages.wire import BATCH_PROTOCOL
from sayso_protocol.primitives import hex_text, sha256
from support.fake_chain import SUBMITTER
from support.fake_network import Switchboard
from support.node_rig import NodeRig
from support.waiting import until

SPONSOR = b"\x11" * 32
BATCH = Batch(SPONSOR, tuple(sha256(bytes([number])) for number in range(4)))
Document = Any


def document(batch: Batch, **changes: Document) -> Document:
    values = {
        "root": hex_text(batch.root),
        "sponsor": batch.sponsor.hex(),
        "licenses": [hex_text(one) for one in batch.licenses],
    }
    return values | changes


LICENSES = document(BATCH)["licenses"]
FORGED = {
    "another sponsor": document(BATCH, sponsor="22" * 32),
    "one missing": document(BATCH, licenses=LICENSES[:-1]),
    "one more": document(BATCH, licenses=[*LICENSES, hex_text(sha256(b"more"))]),
    "one changed": document(BATCH, licenses=[*LICENSES[:-1], hex_text(sha256(b"other"))]),
    "another order": document(BATCH, licenses=LICENSES[::-1]),
    "none": document(BATCH, licenses=[]),
    "another batch": document(Batch(SPONSOR, (sha256(b"x"),))),
    "licenses that are no hashes": document(BATCH, licenses=["0x00"]),
    "licenses that are numbers": document(BATCH, licenses=[1, 2]),
    "licenses as one text": document(BATCH, licenses="".join(LICENSES)),
    "no list": document(BATCH, licenses=7),
    "no sponsor": {"licenses": LICENSES},
    "a sponsor that is no text": document(BATCH, sponsor=7),
    "a sponsor that is no key": document(BATCH, sponsor="11"),
    "a sponsor that is no hexadecimal": document(BATCH, sponsor="zz" * 32),
    "nothing": {},
    "null": None,
    "a number": 7,
    "a list": [1],
    "a text": "batch",
}


def test_a_true_batch_is_read() -> None:
    assert read_batch(document(BATCH), BATCH.root) == BATCH


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_batch_is_refused(name: str) -> None:
    with pytest.raises(BadProof):
        read_batch(FORGED[name], BATCH.root)


class Operators:
    """Other operators' nodes: documents by the start of the URL; an error is raised."""

    def __init__(self, **answers: Document) -> None:
        self.answers = answers
        self.asked: list[str] = []

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(f"http://{name}" for name in self.answers)

    async def get(self, url: str) -> Document:
        self.asked.append(url)
        name, _, path = url.removeprefix("http://").partition("/")
        answer = self.answers[name]
        if isinstance(answer, dict) and "sponsor" not in answer:
            answer = answer.get(path.rpartition("/")[2], PeerUnreachable("not here"))
        if isinstance(answer, Exception):
            raise answer
        return answer


async def anchor(rig: NodeRig, *roots: bytes) -> None:
    for number, root in enumerate(roots):
        place = Anchor(root, SUBMITTER, number, bytes(32))
        await rig.store.write(lambda db, place=place: chain_state.add_anchor(db, place))  # type: ignore[misc]


def held(rig: NodeRig, root: bytes) -> Batch | None:
    with rig.store.read() as db:
        return chain_state.batch(db, root)


def fetcher(rig: NodeRig, operators: Operators) -> BatchFetcher:
    return BatchFetcher(operators.urls, operators, rig.store, rig.counters, rig.network)


async def test_the_next_operator_is_asked_when_one_fails_or_lies(rig: NodeRig) -> None:
    await anchor(rig, BATCH.root)
    operators = Operators(
        gone=PeerUnreachable("gone"), liar=FORGED["one changed"], good=document(BATCH), spare=None
    )
    fetching = fetcher(rig, operators)
    await fetching.step()
    path = f"/v1/batches/{hex_text(BATCH.root)}"
    assert operators.asked == [f"http://{name}{path}" for name in ("gone", "liar", "good")]
    assert held(rig, BATCH.root) == BATCH
    assert rig.count("batches_fetched") == 1
    await fetching.step()
    await fetching.step()
    assert len(operators.asked) == 3  # what is held is not asked for again
    with rig.store.read() as db:
        assert intents.open_intents(db) == []  # it is theirs, not ours to anchor


async def test_a_root_without_batch_is_asked_for_again(rig: NodeRig) -> None:
    await anchor(rig, BATCH.root)
    operators = Operators(liar=FORGED["one changed"])
    fetching = fetcher(rig, operators)
    for _ in range(5):
        await fetching.step()
    assert held(rig, BATCH.root) is None
    operators.answers["liar"] = document(BATCH)
    await fetching.step()
    await fetching.step()
    assert held(rig, BATCH.root) == BATCH


async def test_roots_that_nobody_has_keep_no_other_waiting(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may anchor anything, as often as they pay."""
    monkeypatch.setattr(fetcher_module, "BATCHES_AT_ONCE", 3)
    junk = [sha256(b"junk %d" % number) for number in range(20)]
    await anchor(rig, *junk, BATCH.root)
    operators = Operators(good={hex_text(BATCH.root): document(BATCH)})
    fetching = fetcher(rig, operators)
    for _ in range(8):
        await fetching.step()
    assert held(rig, BATCH.root) == BATCH


async def test_its_loop_outlives_a_store_that_fails(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher_module, "INTERVAL_S", 0.01)
    await anchor(rig, BATCH.root)
    operators = Operators(good=document(BATCH))
    add, tried = chain_state.add_batch, list[bytes]()

    def full(_db: object, batch: Batch, **_: object) -> None:
        tried.append(batch.root)
        raise StoreUnusable("database or disk is full")

    monkeypatch.setattr(chain_state, "add_batch", full)
    running = asyncio.create_task(fetcher(rig, operators).run())
    await until(lambda: len(tried) >= 2 or running.done())
    monkeypatch.setattr(chain_state, "add_batch", add)
    await until(lambda: held(rig, BATCH.root) or running.done())
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_peer_is_asked_first_and_believed_no_more(tmp_path: Path) -> None:
    """Rule 10.9, between nodes that no HTTP joins."""
    board = Switchboard()
    with (
        NodeRig(tmp_path, name="has", board=board) as has,
        NodeRig(tmp_path, name="lacks", board=board) as lacks,
    ):
        await has.store.write(lambda db: chain_state.add_batch(db, BATCH, own=True))
        place = Anchor(BATCH.root, SUBMITTER, 1, bytes(32))
        await lacks.store.write(lambda db: chain_state.add_anchor(db, place))

        async def answer(protocol: str, body: bytes, _peer_id: str) -> bytes:
            assert protocol == BATCH_PROTOCOL
            return said or answer_batch(has.store, body)

        async def judge(_topic: str, _frame: bytes, _peer_id: str) -> Judgement:
            return Judgement.IGNORE

        board.connect(has.peer_id, TransportHandlers(judge, answer, lambda _p, _c: None))
        fetcher = BatchFetcher((), Operators(), lacks.store, lacks.counters, lacks.network)
        forged = [
            pack([SPONSOR, b"".join(BATCH.licenses[:-1])]),
            pack([]),
            b"",
            pack([SPONSOR, b"\1" * 33]),
        ]
        for lie in forged:
            said = lie or b"\xc1"
            await fetcher.step()
            assert lacks.count("batches_fetched") == 0
        said = b""
        await fetcher.step()
        with lacks.store.read() as db:
            assert chain_state.batch(db, BATCH.root) == BATCH


@pytest.mark.parametrize(("request_", "code"), [(b"", "malformed"), (b"\1" * 32, "not-found")])
async def test_bad_requests_of_peers(rig: NodeRig, request_: bytes, code: str) -> None:
    with pytest.raises(SaysoError) as caught:
        answer_batch(rig.store, request_)
    assert caught.value.code == code
