"""What a wallet must sign, for pages and scripts that have the fields, and how a wallet may show it.

The node stores nothing; the answer depends only on the request and the network.
"""

from functools import partial
from typing import Final

import msgspec
from aiohttp import web

from sayso_contracts.clear_signing import clear_signing
from sayso_node.api.http.bodies import read_value
from sayso_node.api.http.route import Route
from sayso_node.api.schema.message_json import FORMS, Form
from sayso_node.api.schema.operations import JSON, Body, Operation
from sayso_node.api.schema.values import ClearSigning, TypedData
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import digest, typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text

CLEAR_SIGNING: Final = Operation(
    "GET",
    "/v1/clear-signing/eip712.json",
    "clearSigning",
    "How a wallet may show every message in words (ERC-7730).",
    ClearSigning,
)


def operations() -> dict[int, Operation]:
    """Return the operations that turn the fields of each kind into typed data."""
    return {
        kind: Operation(
            "POST",
            f"/v1/typed-data/{KINDS[kind].name}",
            f"typed{KINDS[kind].title}",
            f"The typed data that a wallet signs to {form.verb}.",
            TypedData,
            {200: "For the wallet."},
            takes={JSON: Body(form.fields)},
        )
        for kind, form in FORMS.items()
    }


class TypedDataRoutes:
    """Turns fields into typed data for wallets."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route(CLEAR_SIGNING, self.clear_signing),
            *(
                Route(named, partial(self.typed_data, FORMS[kind]))
                for kind, named in operations().items()
            ),
        ]

    async def clear_signing(self, _request: web.BaseRequest) -> ClearSigning:
        """Return the descriptor of all messages on this network."""
        return msgspec.convert(clear_signing(self._network), ClearSigning)

    async def typed_data(self, form: Form, request: web.BaseRequest) -> TypedData:
        """Return a message in the form of `eth_signTypedData_v4`."""
        message, _ = form.read(await read_value(request, form.fields))
        return self._answer(message)

    def _answer(self, message: Message) -> TypedData:
        name = hex_text(digest(message, self._network))
        return TypedData(name, typed_data(message, self._network))
