"""Signatures as wallets give them, handed in by a page: brought into form, or refused by name."""

from typing import Any

from eth_account import Account

from node.api.test_wallets import CONSENT, REVOCATION, WALLET
from protocol.signatures.test_wallet_forms import forms
from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_node.errors import ChainUnreachable
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.receipts.receipt import ChainPoint
from support.probes import questions_in
from support.running_node import RunningNode

ACCEPTED, REFUSED, NO_WALLET = 1, 2, 3
OWNER = Account.from_key(b"\x21" * 32)


class Chain:
    """A chain on which every account is a contract, or none is; counts the questions."""

    def __init__(self, answer: int | None) -> None:
        self.answer = answer
        self.asked = 0

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        self.asked += len(questions_in(code))
        if self.answer is None:
            raise ChainUnreachable("it is silent")
        return self.answer.to_bytes(32) * len(questions_in(code))


def on(node: RunningNode, answer: int | None) -> Chain:
    chain = Chain(answer)
    node.node._intake._wallets = ContractWallets(chain)
    return chain


async def digest_of(node: RunningNode, kind: str, fields: dict[str, Any]) -> bytes:
    status, body = await node.ask("POST", f"/v1/typed-data/{kind}", json=fields)
    assert status == 200, body
    return hash_from_text(body["digest"])


async def give(node: RunningNode, path: str, fields: dict[str, Any], signature: str) -> dict[str, Any]:
    _, body = await node.ask("POST", path, json=fields | {"signature": signature})
    assert "results" in body, body
    result: dict[str, Any] = body["results"][0]
    return result


REFUSALS = [
    (REFUSED, "refused-by-wallet", "the account is a contract"),
    (NO_WALLET, "bad-signature", "this account's key did not sign this"),
    (None, "bad-signature", "or the account is a contract"),
]


async def test_a_page_hands_in_what_the_wallet_gave(node: RunningNode) -> None:
    chain = on(node, None)
    for at, name in enumerate(forms(1, 1, 0, 1)):
        fields = CONSENT | {"via": f"market-{at}.ai"}
        made = WALLET.unsafe_sign_hash(await digest_of(node, "consent", fields))
        form = forms(made.r, made.s, made.v - 27, 1)[name]
        result = await give(node, "/v1/consents", fields, form.hex().upper())
        assert result["status"] == "stored", f"{name}: {result}"
        result = await give(node, "/v1/consents", fields, hex_text(bytes(made.signature)))
        assert result["status"] == "known", name  # it is the same message
    assert chain.asked == 0  # about keys the chain is never asked
    await _contract_wallets(node)


async def _contract_wallets(node: RunningNode) -> None:
    """A Safe with one owner gives 65 bytes, which nodes would read as a key's."""
    stored = node.stored()["messages"]
    made = OWNER.unsafe_sign_hash(await digest_of(node, "consent", CONSENT))
    bare = hex_text(bytes(made.signature))
    for answer, code, text in REFUSALS:
        on(node, answer)
        result = await give(node, "/v1/consents", CONSENT, bare)
        assert result["error"]["code"] == code, result
        assert text in result["error"]["message"]
        assert "made by another wallet" not in result["error"]["message"]
        assert node.stored()["messages"] == stored
    on(node, ACCEPTED)
    use = {"signer": WALLET.address, "hashes": ["0x" + "11" * 32], "purpose": "train-ai", "used_at": 1}
    status, body = await node.ask("POST", "/v1/uses", json=use | {"signature": bare})
    assert (status, body["error"]["code"]) == (400, "bad-signature")
    assert "the account is a contract, which endorses statements" in body["error"]["message"]
    result = await give(node, "/v1/consents", CONSENT, bare)
    assert result["status"] == "stored", result
    stop = await give(node, "/v1/revocations", REVOCATION, "0x")  # SignMessageLib: nothing beside it
    assert stop["status"] == "stored", stop
    assert "acknowledgement" in stop
