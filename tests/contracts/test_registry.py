"""Reading the registry and sending it calls."""

from typing import Any

import pytest
from eth_account import Account
from web3 import AsyncHTTPProvider, AsyncWeb3

from contracts import test_vectors
from contracts.harness import Chain, Refusing
from contracts.test_vectors import REGISTRY
from sayso_contracts.errors import (
    CallReverted,
    NotDeployed,
    RpcFailed,
    TransactionFailed,
    TransactionTooLarge,
    WrongChain,
)
from sayso_contracts.registry.calls import Call, SignedRevocation
from sayso_contracts.registry.client import MAX_WORDS_READ, Registry
from sayso_contracts.transactions import Fees, suggest_fees
from sayso_protocol.errors import TooLarge
from sayso_protocol.ethereum.chain_proofs import anchor_slot, word_slot
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import address_from_text, keccak
from support.registry_views import Anchor, Endorsement, Views
from support.waiting import DEADLINE_S

ROOT = bytes(range(32))
FULL = 2**256 - 1
STRANGER = Account.from_key(b"\7" * 32)
UNANCHORED, UNENDORSED = Anchor(bytes(20), 0, 0), Endorsement(0, 0)


async def carry_out(registry: Registry, call: Call, chain: Chain) -> int:
    """Send a call and return the block it is in."""
    tx_hash = await registry.send(call, chain.account)
    return (await registry.wait(tx_hash, DEADLINE_S)).block_number


def me(chain: Chain) -> bytes:
    return address_from_text(chain.account.address)


def vectors(registry: str = REGISTRY) -> list[tuple[SignedRevocation, dict[str, Any]]]:
    """Those of eth-account's revocations for a registry that revoke something."""
    return [
        (
            SignedRevocation(
                Revocation(
                    contributor=address_from_text(vector["contributor"]),
                    scopes=tuple(vector["scopes"]),
                    words=tuple(int(word, 16) for word in vector["words"]),
                    masks=tuple(int(mask, 16) for mask in vector["masks"]),
                ),
                vector["chainId"],
                bytes.fromhex(vector["signature"][2:]),
            ),
            vector,
        )
        for vector in test_vectors.vectors(registry)
        if vector["scopes"] or vector["words"]
    ]


async def test_anchors_are_dated_once(registry: Registry, chain: Chain) -> None:
    views = Views(chain.w3, registry.address)
    assert await views.anchor_of(ROOT) == UNANCHORED
    number = await carry_out(registry, registry.anchor(ROOT), chain)
    other = await carry_out(registry, registry.anchor_many([ROOT, b"\1" * 32]), chain)
    first, second = await views.anchor_of(ROOT), await views.anchor_of(b"\1" * 32)
    assert (first.submitter, first.block_number) == (me(chain), number)
    assert first.timestamp == (await chain.w3.eth.get_block(number)).get("timestamp")
    assert second.block_number == other
    assert await views.anchor_of(ROOT, number - 1) == UNANCHORED


async def test_own_wallet_revokes_words_and_scopes(registry: Registry, chain: Chain) -> None:
    await carry_out(registry, registry.revoke(3, 5), chain)
    before = await carry_out(registry, registry.revoke_many([3, 4], [2, FULL]), chain)
    await carry_out(registry, registry.revoke_scopes(["everything", "via kled.ai"]), chain)
    scopes = [scope_word("everything"), scope_word("via kled.ai")]
    assert await registry.revoked_words(me(chain), [5, 4, 3, *scopes]) == (0, FULL, 7, 1, 1)
    assert await registry.revoked_words(me(chain), scopes, before) == (0, 0)
    assert await registry.revoked_words(b"\1" * 20, [3, 4]) == (0, 0)


async def test_a_stranger_carries_what_eth_account_signed(registry: Registry, chain: Chain) -> None:
    for signed, _ in vectors(registry.address):
        revocation = signed.revocation
        await carry_out(registry, registry.revoke_by_sig(signed), chain)
        words = list(revocation.bits)
        bits = await registry.revoked_words(revocation.contributor, words)
        assert dict(zip(words, bits, strict=True)) == revocation.bits
        # A repeat does nothing and reverts nothing.
        await carry_out(registry, registry.revoke_by_sig(signed), chain)


def test_our_digests_are_eth_accounts() -> None:
    assert len(vectors()) == 4
    for signed, vector in vectors():
        network = Network(signed.chain_id, address_from_text(REGISTRY))
        assert digest(signed.revocation, network).hex() == vector["digest"][2:]


async def test_a_statement_is_endorsed_once(registry: Registry, chain: Chain) -> None:
    views, signer = Views(chain.w3, registry.address), chain.account.address
    assert await views.endorsement_of(signer, ROOT) == UNENDORSED
    number = await carry_out(registry, registry.endorse(ROOT), chain)
    await carry_out(registry, registry.endorse(ROOT), chain)
    endorsed = await views.endorsement_of(signer, ROOT)
    assert endorsed.block_number == number
    assert endorsed.timestamp == (await chain.w3.eth.get_block(number)).get("timestamp")
    assert await views.endorsement_of(signer, ROOT, number - 1) == UNENDORSED
    assert await views.endorsement_of(STRANGER.address, ROOT) == UNENDORSED
    address = chain.w3.to_checksum_address(registry.address)
    slot = int.from_bytes(keccak(ROOT + keccak(me(chain).rjust(32, b"\0") + (2).to_bytes(32))))
    kept = await chain.w3.eth.get_storage_at(address, slot)
    assert int.from_bytes(kept) == number << 48 | endorsed.timestamp


async def test_a_refusal_names_its_reason(registry: Registry, chain: Chain) -> None:
    signed, vector = vectors(registry.address)[0]
    wrong = signed._replace(signature=signed.signature[:-1] + b"\x1d")
    with pytest.raises(
        CallReverted, match=rf"InvalidSignature\(contributor={vector['contributor'].lower()}\)"
    ):
        await registry.send(registry.revoke_by_sig(wrong), chain.account)
    for chain_id in (0, 1 << 53):
        call = registry.revoke_by_sig(signed._replace(chain_id=chain_id))
        with pytest.raises(CallReverted, match=rf"InvalidChainId\(chainId={chain_id}\)"):
            await registry.send(call, chain.account)
    with pytest.raises(CallReverted, match=r"LengthMismatch\(words=1, masks=0\)"):
        await registry.send(registry.revoke_many([1], []), chain.account)
    with pytest.raises(CallReverted, match="arguments do not fit revoke"):
        registry.revoke(2**248, 1)


async def test_a_transaction_without_effect_is_an_error(registry: Registry, chain: Chain) -> None:
    transaction = await registry.prepare(registry.revoke(1, 1), chain.account.address)
    transaction["data"] = registry.revoke_many([1], []).data
    raw = chain.account.sign_transaction(transaction).raw_transaction
    with pytest.raises(TransactionFailed):
        await registry.wait(await registry.submit(bytes(raw)), DEADLINE_S)
    assert await registry.revoked_words(me(chain), [1]) == (0,)


async def test_stored_bytes_may_be_sent_again(registry: Registry, chain: Chain) -> None:
    fees = Fees(max_fee=10**11, priority_fee=10**9)
    nonce = await chain.w3.eth.get_transaction_count(chain.account.address)
    signed = await registry.sign(registry.revoke(1, 1), chain.account, nonce=nonce, fees=fees)
    assert signed.nonce == nonce
    assert await registry.submit(signed.raw) == signed.hash
    await registry.wait(signed.hash, DEADLINE_S)
    assert await registry.submit(signed.raw) == signed.hash
    other = await registry.sign(registry.revoke(2, 1), chain.account, nonce=nonce, fees=fees)
    with pytest.raises(RpcFailed):  # another transaction under a spent nonce is not "known"
        await registry.submit(other.raw)


async def test_on_another_chain_nothing_is_prepared(registry: Registry, chain: Chain) -> None:
    elsewhere = Registry(chain.w3, registry.address, chain.chain_id + 1)
    with pytest.raises(WrongChain):
        await elsewhere.send(elsewhere.anchor(ROOT), chain.account)


async def test_an_address_without_registry_gives_no_answer(chain: Chain) -> None:
    empty = Registry(chain.w3, STRANGER.address, chain.chain_id)
    with pytest.raises(NotDeployed):
        await empty.revoked_words(b"\1" * 20, [1])


async def test_one_question_has_a_limit(registry: Registry) -> None:
    words = range(MAX_WORDS_READ)
    assert not any(await registry.revoked_words(b"\1" * 20, words))
    with pytest.raises(TooLarge):
        await registry.revoked_words(b"\1" * 20, [*words, 5])


async def test_a_call_beyond_the_gas_cap_is_not_sent(registry: Registry, chain: Chain) -> None:
    roots = [number.to_bytes(32) for number in range(800)]
    with pytest.raises(TransactionTooLarge):
        await registry.send(registry.anchor_many(roots), chain.account)


async def test_fees_do_not_need_more_than_a_gas_price(chain: Chain) -> None:
    def newer(method: str, _params: Any) -> bool:
        return method in {"eth_maxPriorityFeePerGas", "eth_feeHistory"}

    plain = AsyncWeb3(Refusing(chain.w3.provider, newer))
    fees = await suggest_fees(plain)
    assert plain.provider.refused == ["eth_maxPriorityFeePerGas"]
    base = (await chain.w3.eth.get_block("latest")).get("baseFeePerGas", 0)
    assert fees.priority_fee == await chain.w3.eth.gas_price - base
    assert fees.max_fee == 2 * base + fees.priority_fee


async def test_an_endpoint_that_is_gone_is_one_of_our_errors() -> None:
    w3 = AsyncWeb3(AsyncHTTPProvider("http://127.0.0.1:1"))
    registry = Registry(w3, STRANGER.address, 1)
    with pytest.raises(RpcFailed):
        await registry.revoked_words(b"\1" * 20, [1])
    with pytest.raises(RpcFailed):
        await registry.send(registry.anchor(ROOT), STRANGER)
    await w3.provider.disconnect()


async def test_waiting_ends(registry: Registry) -> None:
    with pytest.raises(RpcFailed):
        await registry.wait(b"\1" * 32, 0.2)


async def test_slots_are_where_the_state_is(registry: Registry, chain: Chain) -> None:
    number = await carry_out(registry, registry.anchor(ROOT), chain)
    await carry_out(registry, registry.revoke(scope_word("everything"), 5), chain)
    address = chain.w3.to_checksum_address(registry.address)
    slot = word_slot(me(chain), scope_word("everything"))
    assert bytes(await chain.w3.eth.get_storage_at(address, int.from_bytes(slot))) == (5).to_bytes(32)
    packed = await chain.w3.eth.get_storage_at(address, int.from_bytes(anchor_slot(ROOT)))
    assert packed[:20] == me(chain)
    assert int.from_bytes(packed[20:26]) == number
