"""Status answers: one row each, all of one moment under one signature (rules 9.8 to 9.10).

A node that signed every look at a row by itself could give few of them. So the answers of a moment are
the leaves of a binary tree, the node signs its root, and each answer carries its own path.

    answers = sign_statuses(key, Moment(network, state, block, time), statuses)
    answers[0].check(trusted)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from msgspec import Struct
from nacl.signing import SigningKey

from sayso_protocol.encoding.json_values import (
    Address,
    Count,
    Hash,
    Hex,
    Key,
    NetworkJson,
    Purpose,
    typed,
)
from sayso_protocol.encoding.merkle import check_path, tree_paths
from sayso_protocol.encoding.packing import pack
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import (
    address_from_text,
    address_text,
    bytes_from_text,
    hash_from_text,
    hex_text,
)
from sayso_protocol.receipts.receipt import ChainPoint, Signed, StatusHead, sign_statement
from sayso_protocol.receipts.text import BlockJson, Json, Path, node_key_of, plain
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

STATUS_TYPE: Final = "sayso-status-1"


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


class StatusJson(Struct, kw_only=True):
    """Rule 9.10."""

    type: Literal["sayso-status-1"]
    network: NetworkJson
    node_key: Key
    root: Hash
    count: Count
    state: Hash
    block: BlockJson
    time: Count
    license: Hash
    item: Hash
    grantee: Address
    purpose: Purpose
    max_age_s: Count
    reason: Reason
    index: Count
    path: Path
    signature: Hex


def status_to_json(answer: StatusAnswer) -> Json:
    """A status answer as a JSON object (rule 9.10)."""
    return plain(status_json(answer, head_fields(answer.head)))


def status_json(answer: StatusAnswer, head: Json) -> StatusJson:
    """A status answer as it is written; `head` is what `head_fields` makes of its head."""
    (license_, item), query, max_age_s, reason = answer.status
    return StatusJson(
        **head,
        license=hex_text(license_),
        item=hex_text(item),
        grantee=address_text(query.grantee),
        purpose=query.purpose,
        max_age_s=max_age_s,
        reason=reason,
        index=answer.index,
        path=[hex_text(step) for step in answer.path],
    )


def head_fields(head: Signed[StatusHead]) -> Json:
    """What all answers under a head share."""
    said = head.statement
    return {
        "type": STATUS_TYPE,
        "network": NetworkJson.of(said.network),
        "node_key": said.node_key.hex(),
        "root": hex_text(said.root),
        "count": said.count,
        "state": hex_text(said.state),
        "block": BlockJson.of(said.block),
        "time": said.time,
        "signature": hex_text(head.signature),
    }


def status_from_json(value: object) -> StatusAnswer:
    """Read a status answer; it is still to be checked. Raises Malformed, InvalidPurpose."""
    found = typed(value, StatusJson)
    head = StatusHead(
        found.network.read(),
        node_key_of(found.node_key),
        hash_from_text(found.root),
        found.count,
        hash_from_text(found.state),
        found.block.read(),
        found.time,
    )
    status = Status(
        Row(hash_from_text(found.license), hash_from_text(found.item)),
        Query(address_from_text(found.grantee), found.purpose),
        found.max_age_s,
        found.reason,
    )
    signed = Signed(head, bytes_from_text(found.signature))
    return StatusAnswer(status, signed, found.index, tuple(map(hash_from_text, found.path)))
