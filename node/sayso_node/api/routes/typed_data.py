"""POST /v1/typed-data/...: what a wallet is to sign, for pages and scripts that bring only the fields.

Nothing is kept and nothing is believed: what comes back is a function of what was sent.
"""

from functools import partial
from typing import Any

from aiohttp import web

from sayso_node.api.http.bodies import JSON_BYTES, read_json
from sayso_node.api.schema.message_json import FORMS, Form, read_fields
from sayso_protocol.messages.kinds import KINDS
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
            web.post(f"/v1/typed-data/{KINDS[kind].name}", partial(self.typed_data, form))
            for kind, form in FORMS.items()
        ]

    async def typed_data(self, form: Form, request: web.Request) -> web.Response:
        """A message as `eth_signTypedData_v4` takes it."""
        message, _ = form.read(read_fields(await read_json(request, JSON_BYTES), form.fields))
        return web.json_response(self._answer(message))

    def _answer(self, message: Message) -> dict[str, Any]:
        name = hex_text(digest(message, self._network))
        return {"digest": name, "typed_data": typed_data(message, self._network)}
