"""A kind of message that no product file knows goes all the way, by a row in the table of each layer."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner
from msgspec import Struct

from sayso.commands.contributor.submit import report_sent
from sayso.contributor.saved_messages import load_bundle, save_bundle
from sayso.explain.messages import EXPLANATIONS, Context
from sayso.main import cli
from sayso.node_client.client import NodeClient
from sayso_contracts.clear_signing import INTENTS
from sayso_node.api.schema.message_json import FORMS, Form
from sayso_node.intake.admissions import ADMISSIONS, Admission, Circumstances
from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.interfaces import Judgement
from sayso_node.store import messages
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.interface import Writing
from sayso_node.store.messages import Message as Row
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_node.store.sync.entries import INDEX, index_by_digest
from sayso_protocol.encoding.columns import Column
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.errors import (
    BadSignature,
    FromTheFuture,
    InvalidConsent,
    Malformed,
    NotSponsored,
    SaysoError,
    WrongNetwork,
)
from sayso_protocol.messages.consent_rules import check_items
from sayso_protocol.messages.envelope import Envelope, decode, decode_all, encode
from sayso_protocol.messages.kinds import KINDS, Kind, check_rows
from sayso_protocol.messages.message import CONSENT, REVOCATION, Message, as_kind
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.messages.wire import TOPICS, Topic, encode_bundle
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import (
    address_from_text,
    address_text,
    hash_from_text,
    hex_text,
)
from sayso_protocol.receipts.json_values import Address, Hash, Hex
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.sync.fingerprints import ROOT
from sayso_protocol.sync.sets import SETS, SyncSet
from support.fake_network import Switchboard
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, NETWORK, NODE, item_hashes, signed
from support.running_node import running_node
from support.waiting import until

TOY, OTHER = 99, 98
FIELDS = (
    ("string", "notice"),
    ("address", "signer"),
    ("string", "note"),
    ("bytes32", "content"),
    ("uint32", "count"),
    ("uint64", "issuedAt"),
)
LAYERS = {  # the module of each table
    "gossip topics": "sayso_protocol.messages.wire",
    "sync sets": "sayso_protocol.sync.sets",
    "the store's index": "sayso_node.store.sync.entries",
    "admission": "sayso_node.intake.admissions",
    "JSON forms": "sayso_node.api.schema.message_json",
    "explanations": "sayso.explain.messages",
    "clear signing": "sayso_contracts.clear_signing",
}


@dataclass(frozen=True)
class Praise:
    """Somebody likes some files."""

    kind: ClassVar[int] = TOY

    signer: bytes
    note: str
    content: bytes
    count: int
    issued_at: int

    def __post_init__(self) -> None:
        if not self.note:
            raise InvalidConsent("praise says something")

    @property
    def notice(self) -> str:
        return f"I like {self.count} files: {self.note}"


class Blame(Praise):
    """A second kind, on the topic and in the sync set of the first."""

    kind: ClassVar[int] = OTHER


def read(columns: Sequence[Column], made: type[Praise] = Praise) -> list[Praise]:
    notices, *rest = columns
    found = [made(*row) for row in zip(*rest, strict=True)]
    if [one.notice for one in found] != list(notices):
        raise InvalidConsent("the notice is another")
    return found


def check_columns(columns: Sequence[Column], items: Column) -> None:
    check_items(columns[4], columns[3], items)


def keep(db: Writing, envelopes: Sequence[Envelope], at: Circumstances) -> list[Admitted]:
    outcomes = []
    for one in envelopes:
        kind = one.message.kind
        if messages.is_known(db, one.digest):
            outcomes.append(Admitted.COVERED)
            continue
        messages.insert(db, Row(one.digest, kind, one.message.signer, encode(one)), at.now)
        sync_index.change_sums(db, kind, [sync_index.digest_change(one.digest, 1)])
        outcomes.append(Admitted.STORED)
    return outcomes


class PraiseFields(Struct, forbid_unknown_fields=True, kw_only=True):
    signer: Address
    note: str
    items: list[Hash]
    issued_at: int = int(NOW)


class SignedPraise(PraiseFields, kw_only=True):
    signature: Hex


def from_form(fields: PraiseFields) -> tuple[Message, tuple[bytes, ...]]:
    items = tuple(hash_from_text(one) for one in fields.items)
    signer = address_from_text(fields.signer)
    return Praise(signer, fields.note, content_root(items), len(items), fields.issued_at), items


def explained(envelope: Envelope, _context: Context) -> Iterator[str]:
    praise = as_kind(envelope.message, Praise)
    yield f"This is praise: {address_text(praise.signer)} says {praise.note!r} of {praise.count} files."


ROWS: list[tuple[dict[int, Any], Any]] = [
    (KINDS, Kind("praise", Praise, FIELDS, read, check_columns, is_bound=True, is_sponsored=True)),
    (TOPICS, Topic("praises")),
    (SETS, SyncSet(9)),
    (INDEX, index_by_digest(TOY)),
    (ADMISSIONS, Admission(keep, lambda message: as_kind(message, Praise).issued_at)),
    (
        FORMS,
        Form("praises", "praise", PraiseFields, SignedPraise, from_form),
    ),
    (EXPLANATIONS, explained),
    (INTENTS, "Praise files"),
]


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row in every table, for one test."""
    for table, row in ROWS:
        monkeypatch.setitem(table, TOY, row)


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second kind: another row for wire and index, and else the same."""
    own: dict[int, Any] = {
        id(KINDS): replace(KINDS[TOY], name="blame", message=Blame, read=lambda one: read(one, Blame)),
        id(INDEX): index_by_digest(OTHER),
    }
    for table, row in ROWS:
        monkeypatch.setitem(table, OTHER, own.get(id(table), row))


def blame(number: int) -> Envelope:
    items = item_hashes(2, number)
    return signed(Blame(ADA, "badly done", content_root(items), 2, int(NOW)), items)


def praise(number: int, note: str = "well done", *, issued_at: int = int(NOW)) -> Envelope:
    """Praise of two files, not sponsored yet."""
    items = item_hashes(2, number)
    return signed(Praise(ADA, note, content_root(items), 2, issued_at), items)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[tuple[NodeRig, NodeRig]]:
    """Two nodes that reach each other."""
    with ExitStack() as stack:
        board = Switchboard()
        yield (
            stack.enter_context(NodeRig(tmp_path, name="a", board=board)),
            stack.enter_context(NodeRig(tmp_path, name="b", board=board)),
        )


def test_wire_reads_what_it_wrote_alone_and_among_others() -> None:
    envelope = praise(1).sponsored_by(NODE)
    again = decode(encode(envelope), NETWORK)
    assert (again, again.digest, again.items) == (envelope, envelope.digest, envelope.items)
    again.check_signatures(EoaVerifier())
    mixed = [consent(1), envelope, revocation("everything"), praise(2), consent(2)]
    assert decode_all([encode(one) for one in mixed], NETWORK) == mixed
    assert typed_data(envelope.message, NETWORK)["primaryType"] == "Praise"


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (lambda: replace(praise(1), network=Network(1, NETWORK.registry)), WrongNetwork),
        (lambda: replace(praise(1), items=item_hashes(2, 7)), InvalidConsent),
        (lambda: replace(praise(1), signature=praise(2).signature), BadSignature),
    ],
    ids=["another network", "other items", "another signature"],
)
def test_wire_refuses_what_breaks_its_rules(broken: Any, error: type[SaysoError]) -> None:
    with pytest.raises(error):
        decode(encode(broken()), NETWORK).check_signatures(EoaVerifier())


async def test_intake_and_store_keep_it_once(board: tuple[NodeRig, NodeRig]) -> None:
    rig, _ = board
    (first,) = await rig.give(praise(1))
    (again,) = await rig.give(praise(1))
    assert (first.status, first.is_news, again.status) == (Status.STORED, True, Status.KNOWN)
    assert first.envelope
    assert first.envelope.sponsor
    mixed = await rig.give(revocation("everything"), praise(2), consent(1))
    assert [one.status for one in mixed] == [Status.STORED] * 3  # in any order (rule 7.12)
    assert rig.count("http_praises") == 2
    with rig.store.read() as db:
        held = {one.id for one in sync_entries.entries(db, 9, ROOT)}
        assert held == set(messages.digests(db, TOY, b"", 9)) == {praise(n).digest for n in (1, 2)}
        assert sync_index.sums(db, 9, [ROOT], 4) != sync_index.sums(db, SETS[CONSENT].number, [ROOT], 4)


async def test_intake_refuses_what_is_early_or_lacks_a_sponsor(board: tuple[NodeRig, NodeRig]) -> None:
    rig, _ = board
    (early,) = await rig.give(praise(1, issued_at=int(NOW) + 601))
    (alone,) = await rig.give(praise(2), source=SourceChannel.GOSSIP)
    assert isinstance(early.error, FromTheFuture)
    assert isinstance(alone.error, NotSponsored)
    assert rig.digests() == set()


async def test_gossip_carries_it_on_its_own_topic_only(board: tuple[NodeRig, NodeRig]) -> None:
    here, there = board
    here.broadcast.publish(await here.give(praise(1)))
    await until(lambda: there.count("gossip_praises"))
    assert there.digests() == {praise(1).digest}
    assert [topic for topic, _ in here.network.published] == [TOPICS[TOY].on(NETWORK)]
    frame = encode_bundle([encode(praise(2).sponsored_by(NODE))])
    for kind, judgement in ((REVOCATION, Judgement.REJECT), (TOY, Judgement.ACCEPT)):
        assert await there.broadcast.on_frame(TOPICS[kind].on(NETWORK), frame, "peer") is judgement


async def test_sync_fetches_and_offers_it(board: tuple[NodeRig, NodeRig]) -> None:
    here, there = board
    await here.give(praise(1), consent(1))
    await there.give(praise(2), revocation("everything"))
    assert await there.rounds.round(here.peer_id)
    assert here.digests() == there.digests()
    assert len(here.digests()) == 4
    assert there.count("sync_praises") == here.count("sync_praises") == 1
    assert await here.rounds.round(there.peer_id)  # with nothing left to move


async def test_two_kinds_share_a_topic_and_a_sync_set(
    board: tuple[NodeRig, NodeRig], other: None
) -> None:
    here, there = board
    here.broadcast.publish(await here.give(praise(1), blame(1)))
    await until(lambda: there.count("gossip_praises") == 2)
    assert len(here.network.published) == 1  # they are mixed in one frame
    await here.give(praise(2), *(blame(number) for number in range(2, 9)))
    assert await there.rounds.round(here.peer_id)
    assert there.digests() == here.digests()
    with there.store.read() as db:
        assert len(messages.digests(db, OTHER, b"", 99)) == 8
        assert sync_entries.count(db, 9, ROOT, 99) == len(sync_entries.ids(db, 9, ROOT)) == 10


async def test_http_takes_it_and_says_what_to_sign(tmp_path: Path) -> None:
    envelope = praise(1)
    form = {"signer": address_text(ADA), "note": "well done"}
    form["items"] = [hex_text(one) for one in envelope.items]  # type: ignore[assignment]
    async with running_node(tmp_path) as node:
        status, told = await node.ask("POST", "/v1/typed-data/praise", json=form)
        assert (status, told["digest"]) == (200, hex_text(envelope.digest))
        signature = hex_text(envelope.signature)
        for expected in ("stored", "known"):
            status, answer = await node.ask("POST", "/v1/praises", json=form | {"signature": signature})
            assert (status, answer["results"]) == (
                200,
                [{"digest": hex_text(envelope.digest), "status": expected}],
            )
        wrong = form | {"signature": signature, "note": ""}
        status, answer = await node.ask("POST", "/v1/praises", json=wrong)
        assert (status, answer["error"]["code"]) == (400, "invalid-consent")
        _, document = await node.get("/v1/openapi.json")
        assert document["paths"]["/v1/praises"]["post"]["operationId"] == "praise"
        assert "SignedPraise" in document["components"]["schemas"]
        _, metrics = await node.get("/metrics")
        assert "sayso_http_praises_total 1.0" in metrics.splitlines()


async def test_the_command_submits_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_bundle(tmp_path / "praise.sayso", [praise(1)])
    saved = load_bundle(tmp_path / "praise.sayso", NETWORK)
    async with running_node(tmp_path) as node:
        trusted: NetworkFile = node.node._config.network_file
        async with NodeClient(node.url, trusted) as client:
            report_sent(saved, await client.submit(saved))
        assert node.stored()["messages"] == 1
    assert f"praise {hex_text(praise(1).digest)}\n" in capsys.readouterr().out


def test_show_explains_it(tmp_path: Path) -> None:
    path = tmp_path / "praise.sayso"
    save_bundle(path, [praise(1)])
    shown = CliRunner().invoke(cli, ["show", str(path)])
    assert shown.exit_code == 0, shown.output
    assert f"This is praise: {address_text(ADA)} says 'well done' of 2 files." in shown.output
    save_bundle(path, [replace(praise(1), signature=praise(2).signature)])
    assert CliRunner().invoke(cli, ["show", str(path)]).exit_code == 1


def test_code_about_one_kind_refuses_another_with_a_code() -> None:
    with pytest.raises(Malformed, match="this is a praise; a revocation is needed"):
        as_kind(praise(1).message, type(revocation("everything").message))


def test_a_table_without_its_row_is_noticed() -> None:
    for table, _ in ROWS:
        check_rows(table, "all of them")
    with pytest.raises(Malformed, match=r"the table of nothing has no row for .*praise"):
        check_rows({CONSENT: 1, REVOCATION: 2}, "nothing")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_without_its_row_is_not_imported(layer: str) -> None:
    """Only this module is run again, with a kind more: what fails is its own table."""
    code = f"""
import sys, importlib
name = {LAYERS[layer]!r}
importlib.import_module(name)
from dataclasses import replace
from sayso_protocol.messages.kinds import KINDS
KINDS[{TOY}] = replace(KINDS[1], name="praise")
del sys.modules[name]
importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"the table of {layer} has no row for messages of kind praise" in done.stderr
