"""Sayso: nothing is used without your say-so. The library; `sayso` is the command on top of it.

    import sayso

    trusted = sayso.load_network(Path("network.toml"))
    manifest = sayso.load_manifest(Path("data.jsonl"))
    question = sayso.Question(Query(grantee, "train-ai"), manifest.rows, max_age_s=60, run_id="run 7")
    async with sayso.NodeClient("http://127.0.0.1:8600", trusted) as node:
        answer = await sayso.ask(node, question)
    sayso.write_results(manifest, answer, sayso.CheckFiles(kept=Path("kept.jsonl")))

Names are imported when they are first used: eth-account alone takes a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sayso.checking import CheckFiles, ask, load_manifest, write_results
    from sayso.client import NodeClient
    from sayso.files import find_files, hash_files
    from sayso.gate.gate import Gate
    from sayso.gate.running import GateFiles
    from sayso.keys import load_key, new_account, save_key
    from sayso.licensing import Terms, grant, sign_message
    from sayso.manifest import read_manifest
    from sayso.networks import load_network, save_network
    from sayso.parsing import Question
    from sayso.planning import Wish, make_plan
    from sayso.verifying import read_receipt, verify_receipt

__all__ = [
    "CheckFiles",
    "Gate",
    "GateFiles",
    "NodeClient",
    "Question",
    "Terms",
    "Wish",
    "ask",
    "find_files",
    "grant",
    "hash_files",
    "load_key",
    "load_manifest",
    "load_network",
    "make_plan",
    "new_account",
    "read_manifest",
    "read_receipt",
    "save_key",
    "save_network",
    "sign_message",
    "verify_receipt",
    "write_results",
]

_MODULES = (
    ("checking", ("CheckFiles", "ask", "load_manifest", "write_results")),
    ("client", ("NodeClient",)),
    ("gate.gate", ("Gate",)),
    ("gate.running", ("GateFiles",)),
    ("files", ("find_files", "hash_files")),
    ("keys", ("load_key", "new_account", "save_key")),
    ("licensing", ("Terms", "grant", "sign_message")),
    ("manifest", ("read_manifest",)),
    ("networks", ("load_network", "save_network")),
    ("parsing", ("Question",)),
    ("planning", ("Wish", "make_plan")),
    ("verifying", ("read_receipt", "verify_receipt")),
)
_PLACES = {name: f"sayso.{module}" for module, names in _MODULES for name in names}


def __getattr__(name: str) -> Any:
    """Import a name of the library on first use (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module 'sayso' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
