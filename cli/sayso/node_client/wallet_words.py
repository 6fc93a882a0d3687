"""What is known of a contract wallet's signature, which only the chain can judge (rule 4.4).

A node signs whether it holds a license; whoever has an endpoint of the chain can ask the wallet instead.
"""

from typing import TYPE_CHECKING, Final

from sayso.errors import BadAnswer
from sayso.extras import extra
from sayso.node_client.answers import HeldLicense, WalletWord
from sayso.node_client.status import StatusQuestion, VerifiedStatus
from sayso_protocol.errors import RefusedByWallet
from sayso_protocol.network import Network
from sayso_protocol.redaction import shown_url
from sayso_protocol.signatures.wallets import Claim
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

if TYPE_CHECKING:
    from sayso_node.chain.rpc.json_rpc import JsonRpc
    from sayso_node.chain.rpc.web3_chain import Web3Chain

WORD_AGE_S: Final = 3_600  # the oldest view of the wallet by which a node may say `granted`
RPC_TIMEOUT_S: Final = 20.0
_ASKER: Final = "command"


def question_about(held: HeldLicense) -> StatusQuestion:
    """Return the question, about the first permission, by which a node says if it holds a license."""
    consent = held.license.consent
    query = Query(consent.grantee, consent.purposes[0], ())
    return StatusQuestion(Row(held.hash, held.license.items[0]), query, WORD_AGE_S)


def word_of(found: VerifiedStatus) -> WalletWord:
    """Return the word of an operator; raises BadAnswer for a license that it lists and denies to hold.

    `stale` is no word: the wallet refuses or was not asked in time, or the node is behind (8.14.4).
    Every other reason is about a license that the node holds, so the wallet accepted when it came.
    """
    if found.reason is Reason.UNKNOWN:
        raise BadAnswer("the node gives a license, and signs that it does not hold it")
    accepted = None if found.reason is Reason.STALE else True
    return WalletWord(accepted, found.operator.name, found.answer.head.statement.block.number)


async def word_of_chain(url: str, network: Network, claim: Claim) -> WalletWord:
    """Ask a contract wallet at the newest block of an endpoint.

    Raises:
        ExtraMissing: web3 is not installed.
        ChainUnreachable: The endpoint does not answer, or serves another chain.
        Unsupported: It has no answer about the wallet, or the wallet used up its gas.
        BadSignature: The signature has another form than that of a contract wallet.
    """
    with extra("node"):
        from sayso_node.chain.rpc.eth_call import EthCall  # noqa: PLC0415
        from sayso_node.chain.rpc.web3_chain import Web3Chain  # noqa: PLC0415
        from sayso_node.chain.wallets.contract_wallets import ContractWallets  # noqa: PLC0415

    chain = Web3Chain(url, network, RPC_TIMEOUT_S)
    try:
        block = (await chain.head()).point
        wallets = ContractWallets(EthCall(_OneEndpoint(chain)))
        answers = await wallets.ask([claim], _ASKER, block)
        why = ""
        try:
            answers.check(*claim)
        except RefusedByWallet as error:
            why = str(error)
        return WalletWord(not why, shown_url(url), block.number, why)
    finally:
        await chain.close()


class _OneEndpoint:
    def __init__(self, chain: "Web3Chain") -> None:
        self.links: tuple[JsonRpc, ...] = (chain.link,)
