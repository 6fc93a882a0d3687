"""Status answers: verdicts for single rows, many under one signature (rules 9.8 to 9.10).

One signature for each row would be slow. So the answers of one moment are the leaves of a binary tree,
the node signs its root, and each answer carries its own path.

    answers = sign_statuses(key, StatusMoment(network, state, block, time), statuses)
    answers[0].check(trusted)
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, NamedTuple

from msgspec import Struct
from nacl.signing import SigningKey

from sayso_protocol.encoding.merkle import check_path, tree_paths
from sayso_protocol.encoding.packing import pack
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.json_values import (
    Address,
    Count,
    Hash,
    HeedJson,
    Hex,
    Json,
    Key,
    NetworkJson,
    Nonce,
    Purpose,
    heed_texts,
    typed,
    values_of,
)
from sayso_protocol.receipts.receipt import ChainPoint, Signed, StatusHead, sign_statement
from sayso_protocol.receipts.text import BlockJson, Path, plain, signed_texts
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

STATUS_TYPE: Final = "sayso-status-1"


@dataclass(frozen=True)
class StatusMoment:
    """StatusMoment is a node's knowledge at the time of a verdict (rule 9.8).

    Attributes:
        network: The network that the node serves.
        state: State digest, 32 bytes (rule 9.3).
        block: The block up to which the chain was read.
        time: Seconds since the epoch, by the node's clock.
    """

    network: Network
    state: bytes
    block: ChainPoint
    time: int


class Status(NamedTuple):
    """Status is the question about one row, and its answer (rule 9.8).

    Attributes:
        row: License and item.
        query: Grantee, purpose, and whose disputes counted (rule 8.17).
        max_age_s: The oldest view of chain and peers that the buyer accepted, seconds.
        nonce: The buyer's nonce for this question, 0 to 32 bytes (rule 9.1.1).
        reason: The answer.
        until: When a granted answer may be relied on no longer, seconds since the epoch (rule 8.16);
            0 for another answer.
    """

    row: Row
    query: Query
    max_age_s: int
    nonce: bytes
    reason: Reason
    until: int

    def content(self) -> bytes:
        """Return the bytes of the leaf, in canonical msgpack (rule 9.8)."""
        (license_, item), query, *asked, reason, until = self
        return pack(
            [
                license_,
                item,
                query.grantee,
                query.purpose,
                *asked,
                reason.number,
                until,
                query.heed or (),
            ]
        )


class StatusAnswer(NamedTuple):
    """StatusAnswer is a status with its path to a signed head (rule 9.9).

    Attributes:
        status: Question and answer.
        head: The signed head of all answers of the moment.
        index: The place of this answer among them, from 0.
        path: RFC 9162 audit path, from the leaf upwards.
    """

    status: Status
    head: Signed[StatusHead]
    index: int  # type: ignore[assignment] # hides tuple.index, which is not used
    path: tuple[bytes, ...]

    def check(self, trusted: NetworkFile) -> Operator:
        """Return the operator that answered, by the network file (rule 9.9).

        Raises:
            BadProof: The path does not lead from the answer to the head's root.
            WrongNetwork, UnknownSigner, BadSignature: See Signed.check.
        """
        operator = self.head.check(trusted)
        head = self.head.statement
        check_path(self.status.content(), self.index, head.count, self.path, head.root)
        return operator


def sign_statuses(
    key: SigningKey, moment: StatusMoment, statuses: Sequence[Status]
) -> list[StatusAnswer]:
    """Sign at least one status of a moment, and return the answers in order (rule 9.8)."""
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
    """StatusJson is a status answer as JSON (rule 9.10)."""

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
    nonce: Nonce
    reason: Reason
    until: Count
    heed: HeedJson
    index: Count
    path: Path
    signature: Hex


def status_to_json(answer: StatusAnswer) -> Json:
    """Return a status answer as a JSON object (rule 9.10)."""
    return plain(status_json(answer, head_fields(answer.head)))


def status_json(answer: StatusAnswer, head: Json) -> StatusJson:
    """Return the JSON form of a status answer (rule 9.10); `head` comes from `head_fields`."""
    (license_, item), query, max_age_s, nonce, reason, until = answer.status
    return StatusJson(
        **head,
        license=hex_text(license_),
        item=hex_text(item),
        grantee=address_text(query.grantee),
        purpose=query.purpose,
        max_age_s=max_age_s,
        nonce=hex_text(nonce),
        reason=reason,
        until=until,
        heed=heed_texts(query.heed or ()),
        index=answer.index,
        path=[hex_text(step) for step in answer.path],
    )


def head_fields(head: Signed[StatusHead]) -> Json:
    """Return the JSON fields that all answers under a head share (rule 9.10)."""
    return signed_texts(StatusJson, head) | {"type": STATUS_TYPE}


def status_from_json(value: object) -> StatusAnswer:
    """Read a status answer unchecked (9.10); raises Malformed, InvalidAddress, InvalidPurpose."""
    values = values_of(typed(value, StatusJson))
    status = Status(
        Row(values["license"], values["item"]),
        Query(values["grantee"], values["purpose"], values["heed"]),
        *(values[name] for name in ("max_age_s", "nonce", "reason", "until")),
    )
    head = StatusHead(**{one.name: values[one.name] for one in fields(StatusHead)})
    return StatusAnswer(status, Signed(head, values["signature"]), values["index"], values["path"])
