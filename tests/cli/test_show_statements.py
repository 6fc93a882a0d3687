"""`sayso show`: statements of holders and of people who appear in data, in plain sentences."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from sayso.main import cli
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.primitives import address_text, hex_text
from support import holders
from support.node_rig import consent
from support.protocol_strategies import ADA, BEN, CLEO, item_hashes

CONSENT = consent(1)
HELD = tuple(sorted(item_hashes(12)))
STATED = {
    "sublicense": (
        holders.sublicense(BEN, CLEO, HELD),
        (
            f"{address_text(BEN)} passes 12 licenses on to {address_text(CLEO)} for train-ai",
            "and 2 more",
        ),
    ),
    "use": (holders.use(BEN, HELD), ("says that it used data for train-ai", "in run run-7")),
    "removal": (holders.removal(BEN, HELD), ("as of block 19", "does not say that a model forgot")),
    "dispute": (holders.dispute(ADA, HELD), ("says that 12 files show them: voice", "It has ended.")),
    "dispute of contributors": (
        holders.dispute(ADA, [contributor_hash(BEN)], CONTRIBUTORS),
        ("disputes the licenses of 1 contributor", f"  {address_text(BEN)}"),
    ),
}


@pytest.mark.parametrize(("envelope", "sentences"), STATED.values(), ids=STATED)
def test_statements(tmp_path: Path, envelope: Envelope, sentences: tuple[str, ...]) -> None:
    path = tmp_path / "stated.sayso"
    path.write_bytes(encode_bundle([encode(envelope)]))
    shown = CliRunner().invoke(cli, ["show", str(path)])
    assert shown.exit_code == 0, shown.output
    for one in (*sentences, hex_text(envelope.digest), "The signature is right"):
        assert one in shown.output
    path.write_bytes(encode_bundle([encode(replace(envelope, signature=b""))]))
    unsigned = CliRunner().invoke(cli, ["show", str(path)])
    assert unsigned.exit_code == 0, unsigned.output
    assert "It has no signature: NOT CHECKED" in unsigned.output
    path.write_bytes(encode_bundle([encode(replace(envelope, signature=CONSENT.signature))]))
    wrong = CliRunner().invoke(cli, ["show", str(path)])
    assert wrong.exit_code == 1
    assert "The signature is WRONG" in wrong.output
