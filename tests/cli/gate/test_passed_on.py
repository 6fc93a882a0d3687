"""What was passed on to a buyer is fetched, checked and judged offline."""

import base64
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sayso.errors import BadAnswer
from sayso.gate.fetching import Fetcher
from sayso.gate.judges.offline import OfflineJudge
from sayso.gate.licenses import load_licenses, save_licenses
from sayso.node_client.client import NodeClient
from sayso.node_client.parsing import read_sublicenses
from sayso_node.api.routes import statements
from sayso_node.api.schema.statements import SublicensesTo
from sayso_protocol.errors import BadSignature
from sayso_protocol.messages.envelope import encode
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.snapshots.hash_list import person_key, sublicense_key
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.holders import LABS, stated, sublicense
from support.node_rig import NOW, consent
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE
from support.running_node import running_node
from support.snapshot_making import make_snapshot
from support.snapshots import TRUSTED, content_of, moment_at, names_of_envelopes, salts

BOTH = ("resale", "train-ai")
SOLD = consent(1, purposes=BOTH)  # to Ben
DIRECT = consent(2, grantee=LABS[1])
DAN, EVE, *_ = LABS
FIRST = sublicense(BEN, DAN, [SOLD.digest], purposes=BOTH)
SECOND = sublicense(DAN, EVE, [SOLD.digest], FIRST.digest)
ELSEWHERE = sublicense(DAN, CLEO, [SOLD.digest], FIRST.digest)
ROWS = join_rows([Row(one.digest, one.items[0]) for one in (SOLD, DIRECT)])


async def test_the_chains_of_a_grantee_are_fetched_and_no_others(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        await node.submit(SOLD, DIRECT, FIRST, SECOND, ELSEWHERE)
        async with NodeClient(node.url, node.node._config.network_file) as client:
            fetcher, nobody = Fetcher(client, grantee=EVE), Fetcher(client)
            for one in (fetcher, nobody):
                await one.fetch(ROWS)
                await one.fetch(ROWS)
    assert fetcher.sublicenses.keys() == {FIRST.digest, SECOND.digest}
    assert not nobody.sublicenses
    kept = [*fetcher.found.values(), *fetcher.sublicenses.values()]
    assert save_licenses(tmp_path / "bundle", kept) == 4
    bundle = load_licenses(tmp_path / "bundle", NETWORK)
    assert bundle.sublicenses.keys() == {FIRST.digest, SECOND.digest}
    assert bundle.held.keys() == {SOLD.digest, DIRECT.digest}
    assert bundle.finder(Query(EVE, "train-ai"), NOW)(SOLD.items[0]) == SOLD.digest


async def test_pages_are_bounded_and_all_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "CHAINS_A_PAGE", 2)
    many = [sublicense(BEN, DAN, [SOLD.digest], expires_at=1_800_000_000 + at) for at in range(5)]
    async with running_node(tmp_path) as node:
        await node.submit(SOLD, *many)
        async with NodeClient(node.url, node.node._config.network_file) as client:
            found = await client.sublicenses(SOLD.digest, DAN)
    assert {one.digest for one in found} == {one.digest for one in many}


def page(*bodies: bytes, after: str | None = None) -> SublicensesTo:
    return SublicensesTo([base64.b64encode(one).decode() for one in bodies], after)


@pytest.mark.parametrize(
    "answer",
    [
        page(encode(SOLD)),
        page(encode(FIRST), after=hex_text(bytes(32))),
        page(encode(FIRST), after="0x12"),
        SublicensesTo(["?"], None),
    ],
)
def test_a_node_cannot_give_other_messages_or_pages_without_end(answer: Any) -> None:
    assert read_sublicenses(page(encode(FIRST)), bytes(32), NETWORK) == ([FIRST], None)
    with pytest.raises(BadAnswer):
        read_sublicenses(answer, bytes(32), NETWORK)


def test_a_bundle_with_a_forged_sublicense_is_refused(tmp_path: Path) -> None:
    forged = type(SECOND)(SECOND.message, NETWORK, FIRST.signature, SECOND.items).sponsored_by(NODE)
    save_licenses(tmp_path / "bundle", [SOLD, FIRST, forged])
    with pytest.raises(BadSignature):
        load_licenses(tmp_path / "bundle", NETWORK)


def test_what_only_a_chain_can_verify_is_left_out(tmp_path: Path) -> None:
    endorsed = stated(SECOND.message, SECOND.items, endorsed=True)
    save_licenses(tmp_path / "bundle", [SOLD, endorsed])
    bundle = load_licenses(tmp_path / "bundle", NETWORK)
    assert (len(bundle.sublicenses), bundle.unverified) == (0, 1)


def test_a_check_offline_uses_the_bundle(tmp_path: Path) -> None:
    """And says `stale` for what the operator did not see."""
    history = [SOLD, FIRST, SECOND]
    everything = [
        *names_of_envelopes([SOLD]),
        *(sublicense_key(one.digest) for one in (FIRST, SECOND)),
        person_key(BEN),
        person_key(DAN),
        person_key(EVE),
    ]
    answers = {}
    for name, named in (("all", everything), ("hidden", names_of_envelopes([SOLD]))):
        content = content_of({}, named, heeded=(CLEO,))
        made = make_snapshot(NODE, NETWORK, moment_at(int(NOW)), content, salts())
        (tmp_path / name).write_bytes(made.data)
        for bundle in (history, [SOLD]):
            folder = tmp_path / f"{name}-{len(bundle)}"
            save_licenses(folder, bundle)
            for heed in ((), (CLEO,), (ADA,)):
                judge = OfflineJudge(
                    [tmp_path / name],
                    partial(load_licenses, folder, NETWORK),
                    TRUSTED,
                    Question(Query(EVE, "train-ai", heed), max_age_s=60, run_id=""),
                    lambda: NOW + 1,
                )
                row = join_rows([Row(SOLD.digest, SOLD.items[0])])
                answers[name, len(bundle), heed] = REASONS[judge.judge(row).numbers[0]]
    for heed in ((), (CLEO,)):
        assert answers["all", 3, heed] is Reason.GRANTED
        assert answers["hidden", 3, heed] is Reason.STALE
        assert answers["all", 1, heed] is Reason.OTHER_GRANTEE
    assert answers["all", 3, (ADA,)] is Reason.STALE
