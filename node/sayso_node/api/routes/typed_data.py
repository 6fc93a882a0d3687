"""POST /v1/typed-data/...: what a wallet is to sign, for pages and scripts that bring only the fields.

Nothing is kept and nothing is believed: what comes back is a function of what was sent.
"""

from typing import Any

from aiohttp import web

from sayso_node.api.http.bodies import JSON_BYTES, read_json
from sayso_node.api.schema.message_json import (
    CONSENT_DEFAULTS,
    CONSENT_FIELDS,
    REVOCATION_DEFAULTS,
    REVOCATION_FIELDS,
    consent_of,
    read_fields,
    revocation_of,
)
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import digest, typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text


class TypedDataRoutes:
    """Puts fields into the form that wallets take."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [
            web.post("/v1/typed-data/consent", self.consent),
            web.post("/v1/typed-data/revocation", self.revocation),
        ]

    async def consent(self, request: web.Request) -> web.Response:
        """A consent as `eth_signTypedData_v4` takes it."""
        body = await read_json(request, JSON_BYTES)
        message, _ = consent_of(read_fields(body, CONSENT_FIELDS, CONSENT_DEFAULTS))
        return web.json_response(self._answer(message))

    async def revocation(self, request: web.Request) -> web.Response:
        """A revocation as `eth_signTypedData_v4` takes it."""
        body = await read_json(request, JSON_BYTES)
        message = revocation_of(read_fields(body, REVOCATION_FIELDS, REVOCATION_DEFAULTS))
        return web.json_response(self._answer(message))

    def _answer(self, message: Message) -> dict[str, Any]:
        name = hex_text(digest(message, self._network))
        return {"digest": name, "typed_data": typed_data(message, self._network)}
