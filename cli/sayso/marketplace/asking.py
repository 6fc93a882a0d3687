"""Questions to a node about consents that the shop holds: what is revoked, and what it cannot say."""

from collections.abc import Sequence
from typing import Final

from sayso.marketplace.stock import Permission
from sayso.node_client.client import NodeClient
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

QUESTION_ROWS: Final = 16_384  # of a question
UNKNOWN_YET: Final = frozenset({Reason.STALE, Reason.UNKNOWN})  # not an answer about revocation


async def ask(
    node: NodeClient,
    shop: bytes,
    held: Sequence[Envelope],
    max_age_s: int,
    gone: list[Permission],
    unsure: set[bytes],
) -> None:
    """Ask what is revoked of consents, and add it to `gone`; add what the node cannot say to `unsure`.

    Raises NodeUnreachable, and other errors as NodeClient.check.
    """
    consents = [(one, as_kind(one.message, Consent).purposes) for one in held]
    for purpose in sorted({name for _, names in consents for name in names}):
        rows = [
            Row(one.digest, item) for one, names in consents if purpose in names for item in one.items
        ]
        query = Question(Query(shop, purpose), max_age_s, "stock")
        for at in range(0, len(rows), QUESTION_ROWS):
            some = rows[at : at + QUESTION_ROWS]
            answer = await node.check(query, join_rows(some))
            for row, reason in zip(some, answer.reasons, strict=True):
                if reason is Reason.REVOKED:
                    gone.append(Permission(*row, purpose))
                elif reason in UNKNOWN_YET:
                    unsure.add(row.license)
