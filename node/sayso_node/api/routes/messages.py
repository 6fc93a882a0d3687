"""Submission of signed messages: /v1/messages, and a route for each kind.

Status 200: all are stored. 202: some are pending, without a promise (rule 7.14). 422: some are refused.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from aiohttp import web
from msgspec import UNSET

from sayso_node.api.http.bodies import read_body, read_value
from sayso_node.api.http.responses import fault
from sayso_node.api.http.route import Route, RouteAnswer
from sayso_node.api.http.shares import source_of
from sayso_node.api.schema.message_json import FORMS, Form
from sayso_node.api.schema.operations import JSON, MSGPACK, Body, Operation
from sayso_node.api.schema.values import Result, Results
from sayso_node.errors import BadRequest
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Forwarder, Outcome, Source, Status
from sayso_node.verdicts.signer import Signer
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.kinds import KINDS, kind_of
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text
from sayso_protocol.signatures.wallet_forms import read_signature

BODY_BYTES: Final = 4_194_304
TAKEN: Final = {
    200: "Every message is stored; revocations are acknowledged.",
    202: "Some are `pending`, without a promise (rule 7.14).",
    422: "Some are refused; the others are stored.",
}
SUBMIT: Final = Operation(
    "POST",
    "/v1/messages",
    "submit",
    "Submit signed messages.",
    Results,
    TAKEN,
    takes={MSGPACK: Body("A canonical array of envelopes (rule 7.1), at most 4 MiB.", BODY_BYTES)},
)


def operations() -> dict[int, Operation]:
    """Return the operations for submitting one message of each kind."""
    return {
        kind: Operation(
            "POST",
            f"/v1/{form.path}",
            form.verb,
            f"Submit one {KINDS[kind].name}.",
            Results,
            TAKEN,
            takes={JSON: Body(form.signed)},
        )
        for kind, form in FORMS.items()
    }


class MessageRoutes:
    """Takes messages from users."""

    def __init__(self, network: Network, intake: Intake, forwarder: Forwarder, signer: Signer) -> None:
        self._network = network
        self._intake = intake
        self._forwarder = forwarder
        self._signer = signer

    def routes(self) -> list[Route]:
        """The routes of this file."""
        one = [Route(named, partial(self.one, FORMS[kind])) for kind, named in operations().items()]
        return [Route(SUBMIT, self.submit), *one]

    async def submit(self, request: web.BaseRequest) -> RouteAnswer:
        """Take a bundle of envelopes in canonical encoding."""
        async with read_body(request) as body:
            bundle = decode_bundle(bytes(body), BODY_BYTES)
        return await self._take(request, bundle)

    async def one(self, form: Form, request: web.BaseRequest) -> RouteAnswer:
        """Take a message by its fields and what the wallet gave as signature, and consents (7.12)."""
        fields: Any = await read_value(request, form.signed)
        message, items = form.read(fields)
        given = Envelope(message, self._under(fields), read_signature(fields.signature), items)
        envelope = await self._intake.in_form(given, Source.http(source_of(request)))
        company = getattr(fields, form.company) if form.company else ()
        return await self._take(request, [encode(envelope), *map(_from_base64, company)])

    def _under(self, fields: Any) -> Network:
        """Return the network under which a message was signed (rule 6.2.5); raises Malformed."""
        chain_id = getattr(fields, "chain_id", UNSET)
        return self._network if chain_id is UNSET else replace(self._network, chain_id=chain_id)

    async def _take(self, request: web.BaseRequest, bundle: Sequence[bytes]) -> RouteAnswer:
        """Store messages, then publish them to peers, then answer with acknowledgements.

        Raises GossipQueueFull before storing anything, when consents arrive faster than gossip sends
        them.
        """
        self._forwarder.check_room(bundle)
        outcomes = await self._intake.take(bundle, Source.http(source_of(request)))
        self._forwarder.publish(outcomes)
        results = [await self._result(outcome) for outcome in outcomes]
        found = {outcome.status for outcome in outcomes}
        status = 422 if Status.REFUSED in found else 202 if Status.PENDING in found else 200
        return RouteAnswer(Results(results), status)

    async def _result(self, outcome: Outcome) -> Result:
        envelope, is_kept = outcome.envelope, outcome.status is not Status.PENDING
        result = Result(hex_text(envelope.digest) if envelope else None, outcome.status)
        if outcome.error:
            result.error = fault(outcome.error)
        elif envelope and is_kept and kind_of(envelope.message).is_acknowledged:
            result.acknowledgement = await self._signer.acknowledge(envelope)
        return result


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("consents must be base64 envelopes, as a node returns them") from error
