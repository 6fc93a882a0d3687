"""Contract wallets of all kinds on a real chain."""

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from web3 import HTTPProvider, Web3

from node.chain.wallets.asking import ANY, BY_ADA, BY_BEN, DIGEST, outcome
from sayso_contracts.registry import artifact
from sayso_node.chain.rpc.eth_call import EthCall
from sayso_node.chain.wallets import contract_wallets
from sayso_node.chain.wallets.batched_probes import LONGEST_BYTES, MOST_QUESTIONS
from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_node.freshness import ChainHead
from sayso_node.verdicts.judge import Check
from sayso_protocol.errors import BadSignature, RefusedByWallet, SaysoError, Unsupported
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import address_from_text, keccak
from sayso_protocol.receipts.receipt import ChainPoint, join_rows
from sayso_protocol.signatures.contract_wallets import WalletProof, read_wallet_proof, wrap
from sayso_protocol.signatures.wallets import Claim, WalletVerifier
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.anvil import REPOSITORY, anvil
from support.node_rig import NodeRig
from support.protocol_strategies import (
    ADA,
    BEN,
    NETWORK,
    NODE,
    WALLETS,
    a_consent,
    item_hashes,
    sign_digest,
)
from support.ways import Ways

CONTRACTS = REPOSITORY / "contracts"
MAGIC = bytes.fromhex("1626ba7e").ljust(32, b"\0")


class Wallets:
    """A chain with the contracts of contracts/test/support/Wallets.sol."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.w3 = Web3(HTTPProvider(url))

    def code(self, name: str, kinds: tuple[str, ...] = (), values: tuple[Any, ...] = ()) -> bytes:
        compiled = json.loads((CONTRACTS / "out" / "Wallets.sol" / f"{name}.json").read_text())
        return bytes.fromhex(compiled["bytecode"]["object"][2:]) + abi_encode(kinds, values)

    def deploy(self, name: str, kinds: tuple[str, ...] = (), *values: Any) -> bytes:
        receipt = self.send({"data": self.code(name, kinds, values)})
        return bytes.fromhex(receipt["contractAddress"][2:])

    def send(self, transaction: dict[str, Any]) -> Any:
        sender = {"from": self.w3.eth.accounts[0]}
        sent = self.w3.eth.send_transaction(sender | transaction)  # type: ignore[arg-type]
        return self.w3.eth.wait_for_transaction_receipt(sent)

    def head(self) -> ChainPoint:
        block = self.w3.eth.get_block("latest")
        return ChainPoint(int(block["number"]), bytes(block["hash"]))

    def code_at(self, address: bytes) -> bytes:
        return bytes(self.w3.eth.get_code(Web3.to_checksum_address(address)))


@pytest.fixture(scope="module")
def chain() -> Iterator[Wallets]:
    forge = CONTRACTS / "node_modules" / ".bin" / "forge"
    subprocess.run([forge, "build", "--quiet"], cwd=CONTRACTS, check=True)
    with anvil() as url:
        yield Wallets(url)


@pytest.fixture
async def wallets(chain: Wallets) -> AsyncIterator[ContractWallets]:
    ways = Ways(chain.url)
    calls = EthCall(ways)
    yield ContractWallets(calls)
    await ways.close()


KINDS: dict[str, tuple[str, tuple[str, ...], tuple[Any, ...], type[SaysoError] | None]] = {
    "accepts, after work": ("SlowWallet", ("uint256",), (100_000,), None),
    "takes more gas than it gets": ("SlowWallet", ("uint256",), (700_000,), Unsupported),
    "accepts, with much behind it": ("BombWallet", ("bytes32",), (MAGIC,), None),
    "refuses, with much behind it": ("BombWallet", ("bytes32",), (b"\xff" * 32,), RefusedByWallet),
    "accepts with a dirty word": ("BombWallet", ("bytes32",), (MAGIC[:-1] + b"\1",), RefusedByWallet),
    "answers with four bytes": ("ShortWallet", (), (), RefusedByWallet),
    "changes state": ("WritingWallet", (), (), Unsupported),  # which burns all gas, too
    "reverts": ("RevertingWallet", (), (), RefusedByWallet),
    "burns all gas": ("BurningWallet", (), (), Unsupported),
    "approved nothing": ("ApprovingWallet", (), (), RefusedByWallet),
    "is a contract, no wallet": ("WalletFactory", (), (), RefusedByWallet),
}


@pytest.mark.parametrize(("name", "kinds", "values", "expected"), KINDS.values(), ids=KINDS)
async def test_a_deployed_wallet_is_asked(
    chain: Wallets,
    wallets: ContractWallets,
    name: str,
    kinds: tuple[str, ...],
    values: tuple[Any, ...],
    expected: type[SaysoError] | None,
) -> None:
    claim = Claim(chain.deploy(name, kinds, *values), DIGEST, ANY)
    assert await outcome(wallets, claim, chain.head()) is expected


async def test_a_wallet_that_signs_65_bytes_comes_wrapped(
    chain: Wallets, wallets: ContractWallets
) -> None:
    wallet, head = chain.deploy("OwnedWallet", ("address",), "0x" + ADA.hex()), chain.head()
    right, wrong = wrap(WalletProof(BY_ADA)), wrap(WalletProof(BY_BEN))
    assert await outcome(wallets, Claim(wallet, DIGEST, right), head) is None
    assert await outcome(wallets, Claim(wallet, DIGEST, wrong), head) is RefusedByWallet
    assert await outcome(wallets, Claim(wallet, keccak(b""), right), head) is RefusedByWallet
    assert await outcome(wallets, Claim(wallet, DIGEST, BY_ADA), head) is BadSignature


async def test_one_signature_of_a_contract_wallet_serves_gossip_and_registry(
    chain: Wallets, wallets: ContractWallets
) -> None:
    wallet = chain.deploy("OwnedWallet", ("address",), "0x" + ADA.hex())
    revocation = Revocation(wallet, ("everything",))
    receipt = chain.send({"data": artifact.creation_code()})
    registry = chain.w3.eth.contract(receipt["contractAddress"], abi=artifact.abi())
    network = Network(chain.w3.eth.chain_id, address_from_text(registry.address))
    by_ada = sign_digest(WALLETS[ADA], digest(revocation, network))
    envelope = Envelope(revocation, network, wrap(WalletProof(by_ada)))
    heard = decode(encode(envelope), network)
    judge: WalletVerifier = await wallets.ask([heard.claim], "peer", chain.head())
    heard.check_signatures(judge)

    own = read_wallet_proof(heard.signature).signature
    signer, none = Web3.to_checksum_address(wallet), list[int]()
    by_sig = registry.functions.revokeBySig
    call = by_sig(signer, network.chain_id, ["everything"], none, none, own)
    chain.w3.eth.wait_for_transaction_receipt(call.transact({"from": chain.w3.eth.accounts[0]}))
    [bits] = registry.functions.revokedWords(signer, [scope_word("everything")]).call()
    assert bits == 1


async def test_the_answer_is_that_of_the_named_block(chain: Wallets, wallets: ContractWallets) -> None:
    wallet = chain.deploy("ApprovingWallet")
    before, claim = chain.head(), Claim(wallet, DIGEST, ANY)
    call = keccak(b"approve(bytes32)")[:4] + DIGEST
    chain.send({"to": Web3.to_checksum_address(wallet), "data": call})
    assert await outcome(wallets, claim, before) is RefusedByWallet
    assert await outcome(wallets, claim, chain.head()) is None
    gone = ChainPoint(before.number, b"\x99" * 32)
    assert await outcome(wallets, claim, gone) is Unsupported


async def test_a_consent_is_clear_only_while_its_wallet_stands_by_it(
    chain: Wallets, tmp_path: Path
) -> None:
    """Rule 8.14, with a wallet that changes its mind on a real chain."""
    wallet, items = chain.deploy("ApprovingWallet"), item_hashes(1, 1)
    given = a_consent(items, contributor=wallet, parties=(wallet,))
    envelope = Envelope(given, NETWORK, ANY, items).sponsored_by(NODE)
    row = join_rows([Row(envelope.digest, items[0])])
    ways = Ways(chain.url)
    calls = EthCall(ways)

    async def approve(rig: NodeRig, approved: bytes) -> None:
        call = keccak(b"approve(bytes32)")[:4] + approved
        chain.send({"to": Web3.to_checksum_address(wallet), "data": call})
        rig.clock.time += 31  # half the age that is asked for, and more
        rig.freshness.chain_read(rig.clock.time, ChainHead(chain.head(), rig.clock.time))
        await rig.watch.ask()

    def reason(rig: NodeRig) -> Reason:
        return REASONS[rig.judge.judge(Check(Query(BEN, "train-ai"), 60, "run", row)).reasons[0]]

    with NodeRig(tmp_path, prober=calls) as rig:
        await approve(rig, b"\0" * 32)
        [refused] = await rig.give(envelope)
        assert type(refused.error) is RefusedByWallet
        await approve(rig, envelope.digest)
        [taken] = await rig.give(envelope)
        assert taken.error is None
        await approve(rig, envelope.digest)
        assert reason(rig) is Reason.GRANTED
        await approve(rig, b"\0" * 32)
        assert reason(rig) is Reason.STALE
        await approve(rig, envelope.digest)
        assert reason(rig) is Reason.GRANTED
    await ways.close()


async def test_a_wallet_that_does_not_exist_yet(chain: Wallets, wallets: ContractWallets) -> None:
    """ERC-6492: it is deployed for the question only."""
    factory = chain.deploy("WalletFactory")
    inside = chain.code("OwnedWallet", ("address",), ("0x" + ADA.hex(),))
    wallet = keccak(b"\xff" + factory + bytes(32) + keccak(inside))[12:]  # EIP-1014
    call = keccak(b"create(address)")[:4] + ADA.rjust(32, b"\0")
    head = chain.head()

    async def said(proof: WalletProof) -> type[SaysoError] | None:
        return await outcome(wallets, Claim(wallet, DIGEST, wrap(proof)), head)

    assert await said(WalletProof(BY_ADA, factory, call)) is None
    assert await said(WalletProof(BY_BEN, factory, call)) is RefusedByWallet
    assert await said(WalletProof(BY_ADA)) is RefusedByWallet
    assert await said(WalletProof(BY_ADA, BEN, call)) is RefusedByWallet
    assert await said(WalletProof(BY_ADA, factory, call[:-1] + b"\1")) is RefusedByWallet
    for bad in ("RevertingWallet", "BurningWallet"):
        assert await said(WalletProof(BY_ADA, chain.deploy(bad), call)) is RefusedByWallet
    assert chain.code_at(wallet) == b""


async def test_once_it_exists_its_factory_is_left_alone(
    chain: Wallets, wallets: ContractWallets
) -> None:
    wallet, burning = (
        chain.deploy("OwnedWallet", ("address",), "0x" + ADA.hex()),
        chain.deploy("BurningWallet"),
    )
    claim = Claim(wallet, DIGEST, wrap(WalletProof(BY_ADA, burning, b"\1")))
    assert await outcome(wallets, claim, chain.head()) is None


async def test_a_delegated_key_signs_as_before_and_its_delegate_may_answer(
    chain: Wallets, wallets: ContractWallets
) -> None:
    """EIP-7702: ECDSA first, whatever the delegate would say."""
    delegate = chain.deploy("RevertingWallet")
    set_code = chain.w3.provider.make_request
    set_code("anvil_setCode", ["0x" + BEN.hex(), "0xef0100" + delegate.hex()])  # type: ignore[arg-type]
    chain.send({})
    assert await outcome(wallets, Claim(BEN, DIGEST, BY_BEN), chain.head()) is None
    assert await outcome(wallets, Claim(BEN, DIGEST, BY_ADA), chain.head()) is BadSignature
    claim = Claim(BEN, DIGEST, wrap(WalletProof(BY_ADA)))
    assert await outcome(wallets, claim, chain.head()) is RefusedByWallet
    delegate = chain.deploy("OwnedWallet", ("address",), "0x" + ADA.hex())
    set_code("anvil_setCode", ["0x" + BEN.hex(), "0xef0100" + delegate.hex()])  # type: ignore[arg-type]
    chain.send({})
    assert await outcome(wallets, claim, chain.head()) is None


async def test_too_little_gas_is_no_answer(
    chain: Wallets, wallets: ContractWallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Claim(chain.deploy("SlowWallet", ("uint256",), 0), DIGEST, ANY)
    monkeypatch.setattr(contract_wallets, "GAS", 200_000)
    assert await outcome(wallets, claim, chain.head()) is Unsupported
    monkeypatch.undo()
    assert await outcome(wallets, claim, chain.head()) is None


@pytest.mark.parametrize("gas", [231_837, 437_857])
async def test_a_passkey_without_its_precompile_is_heard(
    chain: Wallets, wallets: ContractWallets, gas: int
) -> None:
    """What two verifiers of P-256 in Solidity took, as they were measured."""
    claim = Claim(chain.deploy("SlowWallet", ("uint256",), gas), DIGEST, ANY)
    assert await outcome(wallets, claim, chain.head()) is None


async def test_running_out_of_gas_is_no_refusal(
    chain: Wallets, wallets: ContractWallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 4.4.14; nor is the wallet asked twice at one block."""
    head, endless = chain.head(), chain.deploy("SlowWallet", ("uint256",), 2**256 - 1)
    behind = chain.deploy("ProxyWallet", ("address",), "0x" + endless.hex())
    head = chain.head()
    for wallet in (endless, behind):
        assert await outcome(wallets, Claim(wallet, DIGEST, ANY), head) is Unsupported
    no = chain.deploy("CostlyNo", ("uint256",), 300_000)
    assert await outcome(wallets, Claim(no, DIGEST, ANY), chain.head()) is RefusedByWallet
    monkeypatch.setattr(wallets, "_in_turn", None)  # a question would fail
    assert await outcome(wallets, Claim(endless, DIGEST, ANY), head) is Unsupported


async def test_the_largest_signature_fits(chain: Wallets, wallets: ContractWallets) -> None:
    wallet = chain.deploy("SlowWallet", ("uint256",), 0)
    for signature in (b"\xff" * 8_192, wrap(WalletProof(b"\xff" * 7_968))):
        assert len(signature) >= 8_160
        assert await outcome(wallets, Claim(wallet, DIGEST, signature), chain.head()) is None


MANY: dict[str, tuple[str, tuple[str, ...], tuple[Any, ...]]] = {
    "one is approved": ("ApprovingWallet", (), ()),
    "accepts, after work": ("SlowWallet", ("uint256",), (100_000,)),
    "burns all gas": ("BurningWallet", (), ()),
}


@pytest.mark.parametrize(("name", "kinds", "values"), MANY.values(), ids=MANY)
async def test_many_questions_in_one_call_have_the_answers_of_single_ones(
    chain: Wallets, name: str, kinds: tuple[str, ...], values: tuple[Any, ...]
) -> None:
    """More than one call takes: so also one alone."""
    wallet = chain.deploy(name, kinds, *values)
    digests = [keccak(b"question %d" % number) for number in range(2 * MOST_QUESTIONS + 1)]
    if name == "ApprovingWallet":
        call = keccak(b"approve(bytes32)")[:4] + digests[5]
        chain.send({"to": Web3.to_checksum_address(wallet), "data": call})
    ways = Ways(chain.url)
    calls, sent = EthCall(ways), list[int]()

    class Counted:
        async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
            sent.append(len(code))
            return await calls.created(code, gas, block)

    claims = [Claim(wallet, one, ANY) for one in digests]
    together = await ContractWallets(Counted()).ask(claims, "watch", chain.head())
    assert len(sent) == 3
    assert max(sent) < LONGEST_BYTES
    for claim in (claims[0], claims[5], claims[-1]):
        alone = await ContractWallets(calls).ask([claim], "watch", chain.head())
        assert alone.reasons.get(claim) == together.reasons.get(claim)
    assert len(together.reasons) == len(alone.reasons) * len(claims)  # none of a wallet that runs out
    accepted = [claim for claim, reason in together.reasons.items() if not reason]
    assert len(accepted) == {"ApprovingWallet": 1, "SlowWallet": len(claims)}.get(name, 0)
    await ways.close()
