"""Handing in signed messages: /v1/messages, and a route for each kind. 200: every one is kept.

202: what is `pending` among them is no promise (rule 7.14). 422: some are refused.
"""

import base64
import binascii
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiohttp import web

from sayso_node.api.http.bodies import JSON_BYTES, MSGPACK, read_body, read_json
from sayso_node.api.http.responses import error_body
from sayso_node.api.schema.message_json import FORMS, Form, read_fields, signature_of
from sayso_node.errors import BadRequest
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, Status
from sayso_node.verdicts.signer import Signer
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text

BODY_BYTES = 4_194_304


class MessageRoutes:
    """Takes messages from users."""

    def __init__(self, network: Network, intake: Intake, broadcast: Broadcast, signer: Signer) -> None:
        self._network = network
        self._intake = intake
        self._broadcast = broadcast
        self._signer = signer

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [
            web.post("/v1/messages", self.submit),
            *(web.post(f"/v1/{form.path}", partial(self.one, form)) for form in FORMS.values()),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """A bundle of envelopes, as they travel."""
        async with read_body(request, MSGPACK, BODY_BYTES) as body:
            bundle = decode_bundle(bytes(body), BODY_BYTES)
        return await self._take(request, bundle)

    async def one(self, form: Form, request: web.Request) -> web.Response:
        """A message by its fields, and the wallet's signature; others may come along (rule 7.12)."""
        fields = read_fields(await read_json(request, JSON_BYTES), form.signed)
        message, items = form.read(fields)
        signature = signature_of(fields["signature"])
        envelope = encode(Envelope(message, self._network, signature, items))
        company = fields[form.company] if form.company else ()
        return await self._take(request, [envelope, *map(_from_base64, company)])

    async def _take(self, request: web.Request, bundle: Sequence[bytes]) -> web.Response:
        """Store first, then tell the peers, then answer with acknowledgements.

        Raises GossipQueueFull, before anything is taken, when consents come faster than they leave.
        """
        self._broadcast.check_room(bundle)
        outcomes = await self._intake.take(bundle, Source.http(request.remote))
        self._broadcast.publish(outcomes)
        results = [await self._result(outcome) for outcome in outcomes]
        found = {outcome.status for outcome in outcomes}
        status = 422 if Status.REFUSED in found else 202 if Status.PENDING in found else 200
        return web.json_response({"results": results}, status=status)

    async def _result(self, outcome: Outcome) -> dict[str, Any]:
        envelope, is_kept = outcome.envelope, outcome.status is not Status.PENDING
        result: dict[str, Any] = {
            "digest": hex_text(envelope.digest) if envelope else None,
            "status": outcome.status,
        }
        if outcome.error:
            result["error"] = error_body(outcome.error)
        elif envelope and is_kept and kind_of(envelope.message).is_acknowledged:
            result["acknowledgement"] = await self._signer.acknowledge(envelope)
        return result


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("consents must be envelopes in base64, as a node gives them") from error
