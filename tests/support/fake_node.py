"""A node's HTTP API over a dictionary, for tests of whatever speaks to one; it can be told to lie.

It judges and signs with sayso_protocol, as a real node does, but hears no peers and reads no chain.
"""

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgpack
from aiohttp import web
from nacl.signing import SigningKey

from sayso_protocol.encoding.row_tree import manifest_root, results_root
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.receipts.receipt import (
    Acknowledgement,
    ChainPoint,
    Receipt,
    count_reasons,
    join_rows,
    sign_statement,
)
from sayso_protocol.receipts.status import Status, StatusMoment, sign_statuses, status_to_json
from sayso_protocol.receipts.text import acknowledgement_to_json, receipt_to_json
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.chains import Chain
from sayso_protocol.verdicts.disputes import Undisputed
from sayso_protocol.verdicts.known_bits import WholeBits
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import (
    License,
    NamedLicense,
    Reason,
    Row,
    Sought,
    is_revoked,
    verdict,
)
from support.merging import merged
from support.receipt_values import number_reasons
from support.waiting import DEADLINE_S

NETWORK = Network(31_337, bytes(range(20)))
BLOCK = ChainPoint(7, bytes(32))
UNTIL_S = 604_800  # for so long a clear answer may be relied on
BODY_BYTES = 4 * 1024 * 1024
Twist = Callable[[str, Any], Any]  # (route, answer) -> another answer; a str is sent as it is


class Memory(WholeBits, Undisputed):
    """Knowledge in dictionaries."""

    def __init__(self) -> None:
        self.envelopes: dict[bytes, Envelope] = {}
        self.revoked: dict[bytes, Masks] = {}

    def license(self, license_hash: bytes) -> License | None:
        held = self.envelopes.get(license_hash)
        return License(held.message, held.items) if held and isinstance(held.message, Consent) else None

    def considered(self, sought: Sought) -> Iterable[NamedLicense]:
        held = ((name, self.license(name)) for name in self.envelopes)
        return [NamedLicense(name, one) for name, one in held if one and sought.item in one.items]

    def chains(self, names: Sequence[bytes], asker: bytes) -> dict[bytes, list[Chain]]:
        return {}

    def bits(self, address: bytes) -> Masks:
        return self.revoked.get(address, {})

    def add(self, envelope: Envelope) -> bool:
        new = envelope.digest not in self.envelopes
        self.envelopes[envelope.digest] = envelope
        message = envelope.message
        if isinstance(message, Revocation):
            self.revoked[message.signer] = merged(self.bits(message.signer), message.bits)
        return new


class FakeNode:
    """FakeNode answers as a node would, unless `twist` changes the answer on its way out."""

    def __init__(self, network: Network = NETWORK) -> None:
        self.key = SigningKey(b"k" * 32)
        self.network = network
        self.memory = Memory()
        self.twist: Twist | None = None
        self.contract_wallets: set[bytes] = set()  # whose signatures of more than 65 bytes it believes
        self.status_reason: Reason | None = None  # of every status answer
        self.stale_checks = 0  # so many checks are answered `stale` before the rest is judged
        self.checks: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.reasons: list[tuple[str, str]] = []  # why it is not ready
        self.traces: list[dict[str, Any]] = []  # pages, of whatever license
        self.url = ""

    @property
    def trusted(self) -> NetworkFile:
        """A network file that believes this node."""
        operator = Operator("Fake", bytes(self.key.verify_key), url=self.url)
        return NetworkFile(self.network, 1, 0, (operator,))

    def app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES * 16)
        app.router.add_get("/v1/node", self._about)
        app.router.add_get("/v1/peers", self._peers)
        app.router.add_get("/readyz", self._ready)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/check", self._check)
        app.router.add_get("/v1/status/{license}/{item}", self._status)
        app.router.add_get("/v1/licenses/{license}", self._license)
        app.router.add_get("/v1/licenses/{license}/trace", self._trace)
        app.router.add_get("/v1/licenses/{license}/sublicenses", self._sublicenses)
        app.router.add_get("/v1/contributors/{address}/licenses", self._licenses)
        return app

    async def _ready(self, _request: web.Request) -> web.Response:
        found = [{"code": code, "text": text} for code, text in self.reasons]
        body = {"ready": not found, "reasons": found, "silence": None, "parts_down": []}
        status = 503 if found else 200
        return self._answer("readyz", body | {"marks_full": False, "alarms": []}, status)

    def _answer(self, route: str, answer: Any, status: int = 200) -> web.Response:
        self.asked.append(route)
        if self.twist:
            answer = self.twist(route, answer)
        if isinstance(answer, str):
            return web.Response(text=answer, status=status)
        if route == "check" and (isinstance(answer, bytes) or "error" not in answer):
            packed = answer if isinstance(answer, bytes) else msgpack.packb(answer)
            return web.Response(body=packed, content_type="application/msgpack")
        return web.json_response(answer, status=status)

    async def _about(self, _request: web.Request) -> web.Response:
        answer = {
            "name": "Fake",
            "version": "0",
            "node_key": bytes(self.key.verify_key).hex(),
            "peer_id": "12D3Koo",
            "network": {
                "chain_id": self.network.chain_id,
                "registry": address_text(self.network.registry),
            },
            "time": time.time(),
            "block": {"number": BLOCK.number, "hash": hex_text(BLOCK.hash), "time": time.time()},
            "listen": ["/ip4/127.0.0.1/tcp/4600/p2p/12D3Koo"],
            "counters": {"checks": len(self.checks)},
            "gossip_replay_window_s": 120,
        }
        return self._answer("node", answer)

    async def _peers(self, _request: web.Request) -> web.Response:
        peer = {"peer_id": "12D3Kpp", "address": "/ip4/127.0.0.1/tcp/4601", "connected": True}
        return self._answer("peers", {"peers": [peer]})

    async def _messages(self, request: web.Request) -> web.Response:
        bundle = decode_bundle(await request.read(), BODY_BYTES)
        results = [self._take(data) for data in bundle]
        refused = any(one["status"] == "refused" for one in results)
        return self._answer("messages", {"results": results}, 422 if refused else 200)

    def _take(self, data: bytes) -> dict[str, Any]:
        try:
            envelope = decode(data, self.network)
            if not (len(envelope.signature) > 65 and envelope.message.signer in self.contract_wallets):
                envelope.check_signatures(EoaVerifier())
        except SaysoError as error:
            refusal = {"code": error.code, "message": str(error)}
            return {"digest": None, "status": "refused", "error": refusal}
        new = self.memory.add(envelope)
        result = {"digest": hex_text(envelope.digest), "status": "stored" if new else "known"}
        if not kind_of(envelope.message).is_acknowledged:
            return result
        statement = Acknowledgement(
            self.network, bytes(self.key.verify_key), envelope.digest, BLOCK, int(time.time())
        )
        return result | {"acknowledgement": acknowledgement_to_json(sign_statement(self.key, statement))}

    async def _check(self, request: web.Request) -> web.Response:
        body = msgpack.unpackb(await request.read())
        self.checks.append(body)
        query, joined = Query(body["grantee"], body["purpose"]), body["rows"]
        rows = [Row(joined[at : at + 32], joined[at + 32 : at + 64]) for at in range(0, len(joined), 64)]
        stale = len(self.checks) <= self.stale_checks
        reasons = [
            Reason.STALE if stale else verdict(self.memory, row, query, time.time()) for row in rows
        ]
        for at, reason in enumerate(reasons):
            if reason is Reason.GRANTED and self._until(rows[at]) < body["run_until"]:
                reasons[at] = Reason.STALE
        return self._answer(
            "check",
            {
                "reasons": number_reasons(reasons),
                "receipt": self.receipt_for(body, query, rows, reasons),
            },
        )

    def receipt_for(
        self, body: dict[str, Any], query: Query, rows: list[Row], reasons: list[Reason]
    ) -> dict[str, Any]:
        """The signed receipt of a check."""
        receipt = Receipt(
            network=self.network,
            node_key=bytes(self.key.verify_key),
            grantee=query.grantee,
            purpose=query.purpose,
            max_age_s=body["max_age_s"],
            run_id=body["run_id"],
            nonce=body["nonce"],
            manifest_root=manifest_root(join_rows(rows)),
            results_root=results_root(join_rows(rows), number_reasons(reasons)),
            counts=count_reasons(number_reasons(reasons)),
            sequence=len(self.checks),
            state=bytes(32),
            block=BLOCK,
            time=int(time.time()),
            run_until=body["run_until"],
            heed=tuple(body.get("heed", ())),
            until=min(
                (self._until(row) for row, one in zip(rows, reasons, strict=True) if one == "granted"),
                default=0,
            ),
        )
        return receipt_to_json(sign_statement(self.key, receipt))

    def _until(self, row: Row) -> int:
        """Until when a clear row can be relied on."""
        held = self.memory.license(row.license)
        if held is None:
            return int(time.time()) + UNTIL_S
        terms = held.consent
        return min(terms.expires_at, int(time.time()) + 3_600 * terms.recheck_hours)

    async def _trace(self, request: web.Request) -> web.Response:
        after = request.query.get("after")
        at = 1 + next(n for n, one in enumerate(self.traces) if one["next"] == after) if after else 0
        return self._answer("trace", self.traces[at])

    async def _status(self, request: web.Request) -> web.Response:
        place, asked = request.match_info, request.query
        row = Row(hash_from_text(place["license"]), hash_from_text(place["item"]))
        heed = tuple(map(address_from_text, filter(None, asked.get("heed", "").split(","))))
        query = Query(address_from_text(asked["grantee"]), asked["purpose"], heed)
        reason = self.status_reason or verdict(self.memory, row, query, time.time())
        moment = StatusMoment(self.network, bytes(32), BLOCK, int(time.time()))
        until = self._until(row) if reason is Reason.GRANTED else 0
        answered = int(asked["max_age_s"]), bytes.fromhex(asked["nonce"][2:]), reason, until
        status = Status(row, query, *answered)
        (answer, _) = sign_statuses(self.key, moment, [status, status])
        return self._answer("status", status_to_json(answer))

    async def _license(self, request: web.Request) -> web.Response:
        license_hash = hash_from_text(request.match_info["license"])
        held, envelope = self.memory.license(license_hash), self.memory.envelopes.get(license_hash)
        if held is None or envelope is None:
            error = {"code": "not-found", "message": "this node has no license with this hash"}
            return self._answer("license", {"error": error}, 404)
        consent = held.consent
        answer = {
            "license": hex_text(license_hash),
            "status": "active",
            "envelope": base64.b64encode(encode(envelope)).decode(),
            "consent": typed_data(consent, self.network)["message"],
            "items": [hex_text(item) for item in held.items],
            "revoked_masks": [],
            "arrived_at": time.time(),
            "permissions": consent.items * len(consent.purposes),
            "revoked_permissions": self._revoked(held),
            "anchor": None,
        }
        return self._answer("license", answer)

    async def _sublicenses(self, request: web.Request) -> web.Response:
        license_hash = hash_from_text(request.match_info["license"])
        grantee = address_from_text(request.query["grantee"])
        found = [
            base64.b64encode(encode(one)).decode()
            for one in self.memory.envelopes.values()
            if isinstance(one.message, Sublicense)
            if one.message.grantee == grantee and license_hash in one.items
        ]
        return self._answer("sublicenses", {"sublicenses": found, "next": None})

    async def _licenses(self, request: web.Request) -> web.Response:
        address = address_from_text(request.match_info["address"])
        via, to = request.query.get("via"), request.query.get("grantee")
        held = {one: self.memory.license(one) for one in self.memory.envelopes}
        found = [
            {
                "license": hex_text(name),
                "envelope": base64.b64encode(encode(self.memory.envelopes[name])).decode(),
                "revoked_permissions": self._revoked(one),
                "anchor_block": None,
            }
            for name, one in held.items()
            if one and one.consent.contributor == address
            if via in (None, one.consent.via) and to in (None, address_text(one.consent.grantee))
        ]
        return self._answer("licenses", {"licenses": found, "next": None})

    def _revoked(self, held: License) -> int:
        consent = held.consent
        return sum(
            is_revoked(self.memory, held, item, Query(consent.grantee, purpose))
            for item in held.items
            for purpose in consent.purposes
        )


@contextmanager
def running(node: FakeNode) -> Iterator[FakeNode]:
    """Serve a fake node from a thread, on a free port of this machine, as long as the block lasts."""
    loop, started = asyncio.new_event_loop(), threading.Event()

    async def start() -> web.AppRunner:
        runner = web.AppRunner(node.app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        node.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        return runner

    def serve() -> None:
        runner = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert started.wait(DEADLINE_S)
    try:
        yield node
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
