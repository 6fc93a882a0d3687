"""Clear signing: how a wallet shows each message in words (ERC-7730, version 2).

The descriptor is derived from the table of kinds and binds the domain and the registry of one network. A
wallet applies it only if its vendor lists the file. The notice comes first, because it states the terms;
the other fields follow in the order of `FIELDS`, which is the one that a small screen needs.

    clear_signing(network)  # a JSON object
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sayso_protocol.encoding.eip712 import DOMAIN_NAME, DOMAIN_VERSION, type_string
from sayso_protocol.errors import Malformed
from sayso_protocol.messages.kinds import KINDS, Kind, check_rows
from sayso_protocol.messages.message import CONSENT, DISPUTE, REMOVAL, REVOCATION, SUBLICENSE, USE
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, NOBODY, address_text, hex_text

SCHEMA: Final = "https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json"
CONTRACT_NAME: Final = "SaysoRegistry"
_NO_HASH: Final = hex_text(bytes(HASH_BYTES))
_NO_ADDRESS: Final = address_text(NOBODY)


class Shown(NamedTuple):
    """Shown is the treatment of one field on a screen.

    Attributes:
        label: The words before its value.
        empty: The value that is not shown, because it means that there is none.
        left_out: Why a wallet may leave the field out, or empty if it shows the field.
        format: The format (ERC-7730); empty for the one that follows from the type.
        parameters: The parameters of the format.
    """

    label: str
    empty: str | None = None
    left_out: str = ""
    format: str = ""
    parameters: Mapping[str, str] | None = None


_TIME: Final = {"encoding": "timestamp"}
_OWN: Final = "the wallet knows its own address"
_ROOT: Final = "a hash that nobody can read; the notice states how many it stands for"
FIELDS: Final = {  # in the order of the screen
    "notice": Shown("You sign"),
    "scopes": Shown("Takes back"),
    "words": Shown("Parts of licenses"),
    "masks": Shown("Bits of these parts"),
    "subject": Shown("Disputed"),
    "code": Shown("Reason"),
    "purpose": Shown("Purpose"),
    "purposes": Shown("Purposes"),
    "expiresAt": Shown("Until", format="date", parameters=_TIME),
    "grantee": Shown("To"),
    "via": Shown("Through", ""),
    "items": Shown("Files"),
    "count": Shown("How many"),
    "run": Shown("Run", ""),
    "usedAt": Shown("Used at", format="date", parameters=_TIME),
    "asOfBlock": Shown("As of block"),
    "recheckHours": Shown("Checks again", format="unit", parameters={"base": "h"}),
    "removalDays": Shown("Removes within", format="unit", parameters={"base": "d"}),
    "issuedAt": Shown("From", format="date", parameters=_TIME),
    "guardian": Shown("Guardian", _NO_ADDRESS),
    "parties": Shown("People"),
    "parent": Shown("Passed on from", _NO_HASH),
    "termsUri": Shown("Terms at", ""),
    "terms": Shown("Hash of the terms", _NO_HASH),
    "record": Shown("Hash of the record", _NO_HASH),
    "contributor": Shown("Signer", left_out=_OWN),
    "signer": Shown("Signer", left_out=_OWN),
    "content": Shown("Hash of the list", left_out=_ROOT),
}
INTENTS: Final = {
    CONSENT: "License your data",
    REVOCATION: "Take back permission",
    SUBLICENSE: "Pass licenses on",
    USE: "Declare a use",
    REMOVAL: "Confirm a removal",
    DISPUTE: "Dispute licenses",
}
_ORDER: Final = {name: at for at, name in enumerate(FIELDS)}
_FORMATS: Final = {"address": "addressName"}  # the rest is shown as it is

check_rows(INTENTS, "clear signing")
if _unnamed := {name for kind in KINDS.values() for _, name in kind.fields} - FIELDS.keys():
    raise Malformed(f"no label for the fields {', '.join(sorted(_unnamed))}")


def clear_signing(network: Network) -> dict[str, Any]:
    """Return the descriptor of all messages on a network (ERC-7730)."""
    deployment = {"chainId": network.chain_id, "address": address_text(network.registry)}
    return {
        "$schema": SCHEMA,
        "context": {
            "$id": DOMAIN_NAME,
            "eip712": {
                "domain": {"name": DOMAIN_NAME, "version": DOMAIN_VERSION},
                "deployments": [deployment],
            },
        },
        "metadata": {"owner": DOMAIN_NAME, "contractName": CONTRACT_NAME},
        "display": {
            "formats": {
                type_string(kind.title, kind.fields): _format(number, kind)
                for number, kind in KINDS.items()
            }
        },
    }


def _format(number: int, kind: Kind) -> dict[str, Any]:
    ordered = sorted(kind.fields, key=lambda field: _ORDER[field[1]])
    return {
        "$id": kind.name,
        "intent": INTENTS[number],
        "fields": [_field(solidity, name) for solidity, name in ordered],
    }


def _field(solidity: str, name: str) -> dict[str, Any]:
    """Return how one field is shown; each element of a list is shown by itself."""
    shown = FIELDS[name]
    element = solidity.removesuffix("[]")
    field: dict[str, Any] = {
        "path": name if element == solidity else f"{name}.[]",
        "label": shown.label,
        "format": shown.format or _FORMATS.get(element, "raw"),
    }
    if shown.parameters:
        field["params"] = dict(shown.parameters)
    return field | {"visible": _visible(shown)}


def _visible(shown: Shown) -> Any:
    if shown.left_out:
        return "optional"
    return "always" if shown.empty is None else {"ifNotIn": [shown.empty]}
