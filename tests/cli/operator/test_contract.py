"""`sayso contract`: only on the chain that is meant, the price first; only our code verifies."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from cli.conftest import EASY, PASSWORD
from sayso.contributor.keystore import save_key
from sayso.main import cli
from sayso.networks import save_network
from sayso_contracts.clear_signing import clear_signing
from sayso_contracts.registry.artifact import runtime_code
from sayso_contracts.registry.create2 import DEPLOYER, registry_address
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text, hex_text
from support.anvil import CHAIN_ID, RICH_KEY, anvil

PAYER = Account.from_key(RICH_KEY)
OURS = address_from_text(registry_address())
ADDRESS = Web3.to_checksum_address(registry_address())


class Place:
    """A folder with a key, and a fresh chain."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.w3 = Web3(HTTPProvider(url))
        save_key(Path("payer.json"), PAYER, PASSWORD, work=EASY)

    def run(self, *arguments: object, status: int = 0, answer: str = "") -> str:
        """What the command prints, on both streams."""
        words = ["contract", *(str(one) for one in arguments), "--rpc", self.url]
        words += ["--key", "payer.json"] if arguments[0] == "deploy" else []
        result = CliRunner().invoke(cli, words, input=answer)
        assert result.exit_code == status, result.output
        return result.output

    @property
    def sent(self) -> int:
        return self.w3.eth.get_transaction_count(PAYER.address)

    def set_code(self, address: str, code: bytes) -> None:
        self.w3.provider.make_request(RPCEndpoint("anvil_setCode"), [address, hex_text(code)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAYSO_PASSWORD", PASSWORD)
    monkeypatch.delenv("SAYSO_NETWORK", raising=False)
    return tmp_path


@pytest.fixture
def place(folder: Path) -> Iterator[Place]:
    with anvil(hardfork="osaka") as url:
        yield Place(url)


def network_file(chain_id: int = CHAIN_ID, registry: bytes = OURS) -> None:
    save_network(Path("network.toml"), NetworkFile(Network(chain_id, registry), 0, 0))


def test_another_chain_than_was_named_is_refused(place: Place) -> None:
    output = place.run("deploy", "--chain-id", CHAIN_ID + 1, "--yes", status=1)
    assert "error [wrong-chain]" in output
    assert place.sent == 0
    assert "gas" not in output


@pytest.mark.parametrize("more", [(), ("--write",), ("--chain-id", CHAIN_ID)])
def test_another_chain_than_the_network_files_is_refused(place: Place, more: tuple[object, ...]) -> None:
    network_file(CHAIN_ID + 1)
    assert "error [wrong-chain]" in place.run("deploy", *more, "--yes", status=1)
    assert place.sent == 0


def test_the_network_file_of_another_registry_is_not_overwritten(place: Place) -> None:
    network_file(registry=b"\1" * 20)
    before = Path("network.toml").read_bytes()
    assert "error [wrong-network]" in place.run("deploy", "--write", "--yes", status=1)
    assert place.sent == 0
    place.run("deploy", "--yes")
    assert Path("network.toml").read_bytes() == before


def test_the_price_is_said_before_it_is_paid(place: Place) -> None:
    output = place.run("deploy", status=1, answer="n\n")
    assert output.index("at most ") < output.index("Deploy the registry?")
    assert place.sent == 0
    output = place.run("deploy", "--chain-id", CHAIN_ID, "--write", answer="y\n")
    assert place.sent == 1
    assert place.w3.eth.get_code(ADDRESS) == runtime_code()
    price = int(output.split("at most ")[1].split(" gas")[0].replace(",", ""))
    receipt = place.w3.eth.get_block("latest", full_transactions=True)
    assert price >= receipt["gasUsed"] > price // 2
    assert "the registry has the code of this release" in place.run("verify")


def test_other_code_is_not_verified(place: Place) -> None:
    network_file()
    assert "error [not-deployed]" in place.run("verify", status=1)
    place.run("deploy", "--yes")
    place.set_code(ADDRESS, runtime_code()[:-1] + b"\0")
    assert "error [wrong-bytecode]" in place.run("verify", status=1)
    assert "error [wrong-bytecode]" in place.run("deploy", "--yes", status=1)
    place.set_code(ADDRESS, runtime_code())
    place.run("verify")


def test_verify_asks_the_chain_of_the_network_file(place: Place) -> None:
    network_file(CHAIN_ID + 1)
    assert "error [wrong-chain]" in place.run("verify", status=1)


def test_foreign_code_where_the_deployer_should_be_is_refused(place: Place) -> None:
    place.set_code(DEPLOYER, b"\0")
    assert "error [wrong-bytecode]" in place.run("deploy", "--yes", status=1)
    assert place.sent == 0


def test_a_chain_on_which_parts_would_not_work_is_refused_unless_forced(place: Place) -> None:
    place.set_code(DEPLOYER, b"")
    output = place.run("deploy", "--write", "--yes", status=1)
    assert "error [chain-unsuitable]: the chain lacks CREATE2's deployer" in output
    assert "without it the registry cannot have its address" in output
    assert "--force" in output
    assert place.sent == 0
    assert not Path("network.toml").exists()
    place.w3.provider.make_request(RPCEndpoint("anvil_setNonce"), [DEPLOYER, "0x0"])
    output = place.run("deploy", "--write", "--force", answer="y\n")
    assert output.index("the chain lacks CREATE2's deployer") < output.index("Deploy the registry?")
    assert place.w3.eth.get_code(ADDRESS) == runtime_code()
    assert Path("network.toml").exists()


def test_without_passkeys_it_is_refused_too(folder: Path) -> None:
    with anvil(hardfork="prague") as url:
        old = Place(url)
        output = old.run("deploy", "--yes", status=1)
        assert "error [chain-unsuitable]: the chain lacks P-256" in output
        assert "passkey" in output
        assert old.sent == 0
        assert "passkey" in old.run("deploy", "--yes", "--force")
        assert old.sent == 1


def test_the_descriptor_is_the_one_of_the_network_file_and_asks_no_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(CHAIN_ID, OURS)
    save_network(tmp_path / "other.toml", NetworkFile(network, 1, 12, ()))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["contract", "descriptor", "--network", "other.toml"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == clear_signing(network)
