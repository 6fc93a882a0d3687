"""Everything that outsiders can read of somebody's licenses: from a node's API, batches and the chain.

The node is one that heard of them by gossip, so it gives what gossip brought. A *name* is whatever could
link two readings: an address, a hash, a signature, a key, the number of a word. Times, purposes and
other small values are no names.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgpack

from sayso.demo.scenarios.acting import registry_calls
from sayso.demo.stage import Stage
from sayso.errors import DemoFailed
from sayso.node_client.following import FIRST, Event, follow
from sayso_contracts.registry.events import Revoked, decode_log, log_filter
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import of_kind
from sayso_protocol.primitives import address_text, hex_text

SHORTEST: Final = 16  # bytes of a name
_HEX: Final = re.compile(r"0x([0-9a-fA-F]{32,})")
_BARE_HEX: Final = re.compile(r"[0-9a-f]{64}|[0-9a-f]{128}")  # keys and signatures of nodes
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")  # envelopes
_NUMBER: Final = re.compile(r"[0-9]{20,78}")  # of a word
_ABOUT_LICENSES: Final = ("sublicense", "use", "removal")
_OK: Final = 200


@dataclass
class Revealed:
    """Revealed is what was read.

    Attributes:
        names: All names, as bytes.
        text: Everything as it came, in lower case, to search for what must not be in it.
        roots: The roots of the batches, which licenses of many people share.
    """

    names: set[bytes] = field(default_factory=set)
    text: str = ""
    roots: set[str] = field(default_factory=set)

    def read(self, answer: Any) -> None:
        """Take an answer of the API apart; what an anchor has belongs to everybody in its batch."""
        if isinstance(answer, dict) and (anchor := answer.pop("anchor", None)):
            self.roots.add(anchor["root"])
            self.text += json.dumps(anchor).lower()
        self.names.update(_names(answer))
        self.text += json.dumps(answer).lower()


def _names(value: Any) -> Iterator[bytes]:
    """Yield the names in a value of JSON or msgpack; a text may hold several, or an envelope."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _names(one)
    elif isinstance(value, bytes) and len(value) >= SHORTEST:
        yield value
    elif isinstance(value, str):
        yield from _names_in(value)


def _names_in(text: str) -> Iterator[bytes]:
    if _NUMBER.fullmatch(text):
        yield int(text).to_bytes(32)
    elif _BARE_HEX.fullmatch(text):
        yield bytes.fromhex(text)
    elif _BASE64.fullmatch(text) and not _HEX.match(text):
        yield from _names(msgpack.unpackb(base64.b64decode(text)))
    else:
        yield from (bytes.fromhex(one[: len(one) // 2 * 2]) for one in _HEX.findall(text))


async def revealed_of(stage: Stage, node: str, licenses: Sequence[Envelope]) -> Revealed:
    """Read all that a node's API and the chain show of some consents, their signers and guardians.

    Raises NodeUnreachable if the node has ended.
    """
    found, url = Revealed(), stage.nodes[node].url
    people = sorted({who for _, one in of_kind(licenses, Consent) for who in one.revokers})
    async with aiohttp.ClientSession(url) as session:
        for path in _paths(licenses, people):
            found.read(await _get(session, path))
        for root in found.roots:
            found.text += json.dumps(await _get(session, f"/v1/batches/{root}")).lower()
    async for one in follow(url, FIRST, of={"contributor": people}):
        if not isinstance(one, Event):
            break
        found.read(dict(one.data))
    await _read_chain(stage, found, people)
    return found


def _paths(licenses: Iterable[Envelope], people: Iterable[bytes]) -> Iterator[str]:
    for one in licenses:
        name = hex_text(one.digest)
        yield from (f"/v1/licenses/{name}", f"/v1/licenses/{name}/trace")
        yield from (f"/v1/hashes/{name}/statements?kind={kind}" for kind in _ABOUT_LICENSES)
        yield f"/v1/hashes/{hex_text(one.items[0])}/statements?kind=dispute"
        yield f"/v1/items/{hex_text(one.items[0])}/claims"
    for who in map(address_text, people):
        yield from (f"/v1/contributors/{who}/{what}" for what in ("consents", "licenses", "revocations"))


async def _get(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as answer:
        if answer.status != _OK:
            raise DemoFailed(f"{path} is answered with {answer.status}")
        return await answer.json()


async def _read_chain(stage: Stage, found: Revealed, people: Iterable[bytes]) -> None:
    network, w3 = stage.trusted.network, stage.chain.w3
    asked = log_filter(network.registry, 0, await w3.eth.block_number)
    for log in await w3.eth.get_logs(asked):
        event = decode_log(log, network.registry)
        if isinstance(event, Revoked) and event.contributor in people:
            found.names.update((event.contributor, event.word.to_bytes(32)))
    async for call in registry_calls(stage):
        found.text += bytes(call["input"]).hex()
