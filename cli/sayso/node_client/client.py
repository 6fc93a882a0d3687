"""NodeClient calls a node's HTTP API and verifies the answers.

    async with NodeClient("http://127.0.0.1:8600", trusted) as node:
        answer = await node.check(Question(query, max_age_s=60, run_id="run 7"), rows)

Every answer is verified against the network file `trusted`. A node of another network is refused before
it receives any data.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET

from sayso.errors import BadAnswer
from sayso.node_client.answers import (
    CheckAnswer,
    Claim,
    HeldLicense,
    NodeInfo,
    Submitted,
)
from sayso.node_client.parsing import (
    read_check,
    read_claims,
    read_consent,
    read_license,
    read_licenses,
    read_node_info,
    read_statement,
    read_sublicenses,
    read_submitted,
)
from sayso.node_client.status import StatusQuestion, VerifiedStatus, read_status
from sayso.node_client.traces import check_trace
from sayso.node_client.transport import Transport
from sayso.node_client.wallet_words import question_about, word_of, word_of_chain
from sayso_node.api.schema import about, values
from sayso_node.api.schema.requests import PackedCheck
from sayso_node.api.schema.statements import StatementJson, SublicensesTo
from sayso_node.api.schema.traces import TraceJson
from sayso_protocol.errors import SaysoError, WrongNetwork
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import HASH_BYTES, address_text, hex_text
from sayso_protocol.receipts.question import Question

NONCE_BYTES: Final = 16  # new for every question (rule 9.1.2)
TRACE_PAGES: Final = 4_096  # of 16 holders each
EMPTY_PAGES: Final = 4_096  # in a row: of licenses that are not of the marketplace asked for
LONGEST_LIST: Final = 1 << 20  # licenses of an address, or claims on an item
P = TypeVar("P")
T = TypeVar("T")
Page = tuple[Sequence[T], str | None]  # a part of a list, and the cursor of the next part
MESSAGES: Final = 60  # in a request; at the largest size, they fill the 4 MiB that a node accepts


class NodeClient:
    """NodeClient sends requests to one node of the network in `trusted`.

    Args:
        url: The node.
        trusted: The network file.
        transport: Sends the requests, for tests.
        clock: Seconds since the epoch.
        random: Makes nonces.
        asks_wallets: Whether a license of a contract wallet comes with a word about its signature.
        rpc_url: An endpoint of the chain, which is asked for that word instead of the node.
    """

    def __init__(
        self,
        url: str,
        trusted: NetworkFile,
        *,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = secrets.token_bytes,
        asks_wallets: bool = True,
        rpc_url: str | None = None,
    ) -> None:
        self.trusted = trusted
        self._asks_wallets = asks_wallets
        self._rpc_url = rpc_url
        self._transport = transport or Transport(url)
        self._clock = clock
        self._random = random
        self._info: NodeInfo | None = None

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._transport.__aexit__(*error)

    async def node(self) -> NodeInfo:
        """Return the node's statements about itself; raises WrongNetwork for another network."""
        info = read_node_info(await self._transport.get("/v1/node", about.NodeJson))
        if info.network != self.trusted.network:
            served, ours = info.network, self.trusted.network
            raise WrongNetwork(f"the node serves {served}; the network file names {ours}")
        self._info = info
        return info

    async def peers(self) -> list[about.PeerJson]:
        """Return the node's peers, by its unverified statement."""
        return (await self._transport.get("/v1/peers", about.Peers)).peers

    async def submit(self, envelopes: Sequence[Envelope]) -> list[Submitted]:
        """Submit signed messages; raises the error of the first refused message.

        The node gets all other messages, too.
        """
        await self._same_network()
        results, refused = list[Submitted](), list[SaysoError]()
        for start in range(0, len(envelopes), MESSAGES):
            part = envelopes[start : start + MESSAGES]
            body = encode_bundle([encode(one) for one in part])
            answer = await self._transport.post("/v1/messages", values.Results, body)
            try:
                results += read_submitted(answer, part, self.trusted)
            except BadAnswer:
                raise
            except SaysoError as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return results

    async def license(self, license_hash: bytes) -> HeldLicense:
        """Return a license by its hash; raises NotHeld if the node does not hold it.

        For a contract wallet, raises also as `status`, or as word_of_chain.
        """
        await self._same_network()
        answer = await self._license(license_hash)
        return await self._with_word(read_license(answer, license_hash, self.trusted.network))

    async def _with_word(self, held: HeldLicense) -> HeldLicense:
        if (claim := held.unjudged) is None or not self._asks_wallets:
            return held
        if self._rpc_url:
            word = await word_of_chain(self._rpc_url, self.trusted.network, claim)
        else:
            word = word_of(await self.status(question_about(held)))
        return replace(held, word=word)

    async def consent(self, license_hash: bytes) -> Envelope:
        """Return the verified consent of a license hash; raises NotHeld if it is not held."""
        await self._same_network()
        answer = await self._license(license_hash)
        return read_consent(answer, license_hash, self.trusted.network)

    async def sublicenses(self, license_hash: bytes, grantee: bytes) -> list[Envelope]:
        """Return the sublicenses by which a license reached a grantee, from all pages, unverified.

        Raises BadAnswer for a node that gives more than count, or no end of pages.
        """
        await self._same_network()
        path = f"/v1/licenses/{hex_text(license_hash)}/sublicenses?grantee={address_text(grantee)}"
        found = dict[bytes, Envelope]()
        after: bytes | None = bytes(HASH_BYTES)
        while after is not None:
            where = f"{path}&after={hex_text(after)}"
            answer = await self._transport.get(where, SublicensesTo)
            some, after = read_sublicenses(answer, after, self.trusted.network)
            found |= {one.digest: one for one in some}
            if len(found) > LIMITS.passed_to_grantee * LIMITS.depth:
                raise BadAnswer("the node's answer has more sublicenses than count")
        return [*found.values()]

    async def statement(self, digest: bytes) -> Envelope:
        """Return a statement by its digest, with an unverified signature; raises as read_statement.

        NotHeld: The node does not have it.
        """
        await self._same_network()
        answer = await self._transport.get(f"/v1/statements/{hex_text(digest)}", StatementJson)
        return read_statement(answer, digest, self.trusted.network)

    async def claims(self, item: bytes, beside: bytes) -> list[Claim]:
        """Return the claims about an item with the same parties as a license, from all pages.

        Raises BadAnswer for pages without end.
        """
        await self._same_network()
        path = f"/v1/items/{hex_text(item)}/claims?beside={hex_text(beside)}"
        return await self._listed(path, values.Claims, read_claims)

    async def licenses_of(
        self, contributor: bytes, *, via: str | None = None, grantee: bytes | None = None
    ) -> list[HeldLicense]:
        """Return every license of an address that the node holds, oldest first; raises as `claims`.

        Args:
            contributor: The address, 20 bytes.
            via: Only those of this marketplace; the others are not asked for.
            grantee: Only those to this address, 20 bytes.
        """
        await self._same_network()
        asked = {"via": via, "grantee": None if grantee is None else address_text(grantee)}
        query = urlencode({name: one for name, one in asked.items() if one is not None})
        path = f"/v1/contributors/{address_text(contributor)}/licenses{'?' if query else ''}{query}"

        def read(page: values.Licenses) -> Page[HeldLicense]:
            return read_licenses(page, contributor, self.trusted.network)

        found = await self._listed(path, values.Licenses, read, EMPTY_PAGES)
        return [await self._with_word(one) for one in found]

    async def _listed(
        self, path: str, kind: type[P], read: Callable[[P], Page[T]], empty: int = 0
    ) -> list[T]:
        """Return what a list has on all pages, each once; raises BadAnswer if they never end.

        `empty` is how many pages in a row may bring nothing new.
        """
        found, known, vain = dict[T, None](), -1, 0
        after: str | None = ""
        while after is not None:
            vain = vain + 1 if known == len(found) else 0
            if vain > empty or len(found) > LONGEST_LIST:
                raise BadAnswer("the node's list has no end")
            known = len(found)
            cursor = f"{'&' if '?' in path else '?'}{urlencode({'cursor': after})}" if after else ""
            some, after = read(await self._transport.get(path + cursor, kind))
            found |= dict.fromkeys(some)
        return [*found]

    async def trace(self, license_hash: bytes) -> TraceJson:
        """Return where a license went, from all pages; what a node says of that is not signed.

        Raises BadAnswer for pages that are of another license, repeat holders or never end.
        """
        await self._same_network()
        path = f"/v1/licenses/{hex_text(license_hash)}/trace"
        whole = page = await self._transport.get(path, TraceJson)
        for _ in range(TRACE_PAGES):
            if page.license != hex_text(license_hash):
                break
            if page.next is None:
                whole.next = None
                check_trace(whole)
                return whole
            where = f"{path}?{urlencode({'after': page.next})}"
            page = await self._transport.get(where, TraceJson)
            whole.holders += page.holders
        raise BadAnswer("the pages of the trace make no sense")

    async def check(self, question: Question, rows: bytes) -> CheckAnswer:
        """Check joined rows (license . item, 64 bytes each); raises the errors of read_check."""
        await self._same_network()
        asked = PackedCheck(
            purpose=question.query.purpose,
            max_age_s=question.max_age_s,
            run_id=question.run_id,
            run_until=question.run_until,
            grantee=question.query.grantee,
            heed=UNSET if question.query.heed is None else [*question.query.heed],
            nonce=(nonce := self._random(NONCE_BYTES)),
            rows=rows,
        )
        body = msgspec.msgpack.encode(asked)
        answer = await self._transport.post("/v1/check", values.CheckedPacked, body)
        return read_check(answer, question, nonce, rows, self.trusted, self._clock())

    async def status(self, question: StatusQuestion) -> VerifiedStatus:
        """Request the status of one row; raises the errors of read_status."""
        await self._same_network()
        nonce = self._random(NONCE_BYTES)
        answer = await self._transport.get(question.path(nonce), dict[str, Any])
        return read_status(answer, question, nonce, self.trusted, self._clock())

    async def _license(self, license_hash: bytes) -> values.WholeLicense:
        path = f"/v1/licenses/{hex_text(license_hash)}"
        return await self._transport.get(path, values.WholeLicense)

    async def _same_network(self) -> None:
        if self._info is None:
            await self.node()
