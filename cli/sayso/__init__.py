"""Sayso: nothing is used without your say-so. This is the library behind the command `sayso`.

    import sayso

    with sayso.Gate("anyone", "train-ai", network="network.toml") as gate:
        record = gate.check("data.jsonl", sayso.GateFiles(kept=Path("kept.jsonl")))

Names are imported on first use, because eth-account alone takes a second to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sayso.contributor.keystore import load_key, new_account, save_key
    from sayso.contributor.licensing import Terms, grant, sign_message
    from sayso.contributor.planning import Wish, make_plan
    from sayso.files import find_files, hash_files
    from sayso.gate.gate import Gate
    from sayso.gate.records.receipts import read_receipt, verify_receipt
    from sayso.gate.running import GateFiles
    from sayso.marketplace.courier import Courier
    from sayso.marketplace.delivery import DeliveryGate
    from sayso.marketplace.market import Marketplace
    from sayso.marketplace.requests import Wanted
    from sayso.marketplace.selling import Offer
    from sayso.networks import load_network, save_network
    from sayso.node_client.client import NodeClient

__all__ = [
    "Courier",
    "DeliveryGate",
    "Gate",
    "GateFiles",
    "Marketplace",
    "NodeClient",
    "Offer",
    "Terms",
    "Wanted",
    "Wish",
    "find_files",
    "grant",
    "hash_files",
    "load_key",
    "load_network",
    "make_plan",
    "new_account",
    "read_receipt",
    "save_key",
    "save_network",
    "sign_message",
    "verify_receipt",
]

_MODULES = (
    ("node_client.client", ("NodeClient",)),
    ("gate.gate", ("Gate",)),
    ("gate.running", ("GateFiles",)),
    ("files", ("find_files", "hash_files")),
    ("contributor.keystore", ("load_key", "new_account", "save_key")),
    ("contributor.licensing", ("Terms", "grant", "sign_message")),
    ("networks", ("load_network", "save_network")),
    ("contributor.planning", ("Wish", "make_plan")),
    ("gate.records.receipts", ("read_receipt", "verify_receipt")),
    ("marketplace.courier", ("Courier",)),
    ("marketplace.delivery", ("DeliveryGate",)),
    ("marketplace.market", ("Marketplace",)),
    ("marketplace.requests", ("Wanted",)),
    ("marketplace.selling", ("Offer",)),
)
_PLACES = {name: f"sayso.{module}" for module, names in _MODULES for name in names}


def __getattr__(name: str) -> Any:
    """Import a name of the library on first use (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module 'sayso' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
