"""POST /v1/messages: hand in signed messages; 200 means that every one of them is kept."""

from typing import Any

from aiohttp import web

from sayso_node.api.responses import error_body
from sayso_node.broadcast import Broadcast
from sayso_node.errors import BadRequest
from sayso_node.intake import Intake
from sayso_node.outcome import Outcome, Source, Status
from sayso_node.signing import Signer
from sayso_protocol.messages import Revocation
from sayso_protocol.primitives import hex_text
from sayso_protocol.wire import decode_bundle

BODY_BYTES = 4_194_304


class MessageRoutes:
    """Takes bundles of envelopes from users."""

    def __init__(self, intake: Intake, broadcast: Broadcast, signer: Signer) -> None:
        self._intake = intake
        self._broadcast = broadcast
        self._signer = signer

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [web.post("/v1/messages", self.submit)]

    async def submit(self, request: web.Request) -> web.Response:
        """Store first, then tell the peers, then answer with acknowledgements."""
        if request.content_type != "application/msgpack":
            raise BadRequest("the body must be application/msgpack: a bundle of messages")
        outcomes = await self._intake.take(decode_bundle(await request.read(), BODY_BYTES), Source.HTTP)
        await self._broadcast.publish(outcomes)
        results = [await self._result(outcome) for outcome in outcomes]
        refused = any(outcome.status is Status.REFUSED for outcome in outcomes)
        return web.json_response({"results": results}, status=422 if refused else 200)

    async def _result(self, outcome: Outcome) -> dict[str, Any]:
        envelope = outcome.envelope
        result: dict[str, Any] = {
            "digest": hex_text(envelope.digest) if envelope else None,
            "status": outcome.status,
        }
        if outcome.error:
            result["error"] = error_body(outcome.error)
        elif envelope and isinstance(envelope.message, Revocation):
            result["acknowledgement"] = await self._signer.acknowledge(envelope.digest)
        return result
