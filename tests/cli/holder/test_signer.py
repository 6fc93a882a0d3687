"""A wallet that speaks JSON-RPC signs statements: anvil holds accounts and signs typed data."""

from pathlib import Path

from cli.contributor.test_signer import RICH, folder, signer  # noqa: F401 - fixtures
from cli.holder.conftest import many
from cli.operator.test_real_node import sayso
from sayso.holder.hashes import load_messages
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import address_from_text, hex_text
from sayso_protocol.signatures.wallets import EoaVerifier
from support.protocol_strategies import NETWORK


def test_a_use_in_two_messages_is_signed_elsewhere(signer: str, folder: Path) -> None:  # noqa: F811
    Path("list.txt").write_text("\n".join(map(hex_text, many(1_030))))
    what = ("use", "--licenses", "list.txt", "--purpose", "train-ai", "--run", "a")
    sayso(*what, "--signer", signer, "--account", RICH, "--save", "run", "--yes")
    held = load_messages(folder / "run", NETWORK)
    assert sorted(len(one.items) for one in held) == [6, 1_024]
    for one in held:
        assert isinstance(one.message, Use)
        assert one.message.signer == address_from_text(RICH)
        one.check_signatures(EoaVerifier())
