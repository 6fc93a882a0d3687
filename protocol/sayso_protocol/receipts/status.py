"""Status answers: one row each, all of one moment under one signature (rules 9.8 to 9.10).

A node that signed every look at a row by itself could give few of them. So the answers of a moment are
the leaves of a binary tree, the node signs its root, and each answer carries its own path.

    answers = sign_statuses(key, Moment(network, state, block, time), statuses)
    answers[0].check(trusted)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nacl.signing import SigningKey

from sayso_protocol.encoding.merkle import check_path, tree_paths
from sayso_protocol.encoding.packing import pack
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.receipt import ChainPoint, Signed, StatusHead, sign_statement
from sayso_protocol.receipts.text import Json, Table, block_json, place_json
from sayso_protocol.verdicts.verdict import Query, Reason, Row

STATUS_TYPE = "sayso-status-1"


@dataclass(frozen=True)
class StatusMoment:
    """What a node knew when it judged.

    Attributes:
        network: The network it serves.
        state: Digest of the revocation state (rule 9.3).
        block: Up to where the chain was read.
        time: Seconds since the epoch, by the node's clock.
    """

    network: Network
    state: bytes
    block: ChainPoint
    time: int


class Status(NamedTuple):
    """What was asked about one row, and the answer.

    Attributes:
        row: License and item.
        query: Grantee and purpose.
        max_age_s: The oldest view of chain and peers that the asker accepted, seconds.
        reason: The answer.
    """

    row: Row
    query: Query
    max_age_s: int
    reason: Reason

    def content(self) -> bytes:
        """The canonical bytes of the leaf (rule 9.8)."""
        (license_, item), query, max_age_s, reason = self
        return pack([license_, item, query.grantee, query.purpose, max_age_s, reason.number])


class StatusAnswer(NamedTuple):
    """A status with its place under a signed head.

    Attributes:
        status: What was asked and answered.
        head: Signed for all answers of the moment.
        index: Which of them this is, from 0.
        path: RFC 9162 audit path, from the leaf upwards.
    """

    status: Status
    head: Signed[StatusHead]
    index: int  # type: ignore[assignment] # of the answers; nobody looks things up in this tuple
    path: tuple[bytes, ...]

    def check(self, trusted: NetworkFile) -> Operator:
        """Who answered, according to the network file (rule 9.9).

        Raises:
            BadProof: The answer is not under the head.
            WrongNetwork: See Signed.check; UnknownSigner and BadSignature likewise.
        """
        operator = self.head.check(trusted)
        head = self.head.statement
        check_path(self.status.content(), self.index, head.count, self.path, head.root)
        return operator


def sign_statuses(
    key: SigningKey, moment: StatusMoment, statuses: Sequence[Status]
) -> list[StatusAnswer]:
    """Sign all answers of one moment, at least one; in their order."""
    root, paths = tree_paths([one.content() for one in statuses])
    head = StatusHead(
        network=moment.network,
        node_key=bytes(key.verify_key),
        root=root,
        count=len(paths),
        state=moment.state,
        block=moment.block,
        time=moment.time,
    )
    signed = sign_statement(key, head)
    places = zip(statuses, paths, strict=True)
    return [StatusAnswer(status, signed, index, path) for index, (status, path) in enumerate(places)]


def status_to_json(answer: StatusAnswer) -> Json:
    """A status answer as a JSON object (rule 9.10)."""
    before, after = head_to_json(answer.head)
    return before | row_to_json(answer) | after


def head_to_json(head: Signed[StatusHead]) -> tuple[Json, Json]:
    """What all answers under a head share: the fields before those of a row, and those behind."""
    said = head.statement
    before = {
        "type": STATUS_TYPE,
        **place_json(said.network, said.node_key),
        "root": hex_text(said.root),
        "count": said.count,
        "state": hex_text(said.state),
        "block": block_json(said.block),
        "time": said.time,
    }
    return before, {"signature": hex_text(head.signature)}


def row_to_json(answer: StatusAnswer) -> Json:
    """What an answer has for itself."""
    status = answer.status
    return {
        "license": hex_text(status.row.license),
        "item": hex_text(status.row.item),
        "grantee": address_text(status.query.grantee),
        "purpose": status.query.purpose,
        "max_age_s": status.max_age_s,
        "reason": status.reason.value,
        "index": answer.index,
        "path": [hex_text(step) for step in answer.path],
    }


def status_from_json(value: object) -> StatusAnswer:
    """Read a status answer; it is still to be checked. Raises Malformed, InvalidPurpose."""
    table = Table(value, STATUS_TYPE)
    head = StatusHead(
        table.network(),
        table.node_key(),
        table.hash("root"),
        table.number("count"),
        table.hash("state"),
        table.block(),
        table.number("time"),
    )
    status = Status(
        Row(table.hash("license"), table.hash("item")),
        Query(table.address("grantee"), table.text("purpose")),
        table.number("max_age_s"),
        table.reason("reason"),
    )
    signed = Signed(head, table.signature())
    return StatusAnswer(status, signed, table.number("index"), table.hashes("path"))
