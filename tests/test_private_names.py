"""Product code uses no private names of other libraries, as far as its syntax shows.

A name is private if it begins with one underscore. libp2p's are left out here: they stay in one folder,
which has a test of its own.
"""

import ast
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from alysis import Node, RPCNode

ROOT = Path(__file__).parents[1]
ROOMS = {
    "protocol/sayso_protocol",
    "contracts/sayso_contracts",
    "node/sayso_node",
    "cli/sayso",
}
OURS = {room.rpartition("/")[2] for room in ROOMS}
LEFT_OUT = "node/sayso_node/gossip/host/private.py"
# What the standard library documents under such a name: named tuples, os._exit, sys._getframe.
DOCUMENTED = {"_replace", "_asdict", "_fields", "_make", "_exit"}
ALLOWED = {  # docs/adr/0022 says why
    "cli/sayso/adapters/datasets.py _formatting",
    "cli/sayso/devchain/chain.py _backend",
    "cli/sayso/devchain/methods.py _eth_get_block_by_hash",
    "cli/sayso/devchain/methods.py _eth_get_block_by_number",
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def is_foreign(module: str) -> bool:
    root = module.partition(".")[0]
    return root not in OURS and root not in sys.stdlib_module_names


class Private:
    """What a file does with private names: it is walked through once.

    Attributes:
        own: Those that it gives to something of its own.
        imported: Those that it imports of other libraries, with their modules.
        foreign: What it calls the things that it imports from other libraries.
        read: Those that it reads, each with the name that they are read off, if it is one.
    """

    def __init__(self, text: str) -> None:
        self.own = set[str]()
        self.imported: list[str] = []
        self.foreign = set[str]()
        self.read: list[tuple[str, str]] = []
        for node in ast.walk(ast.parse(text)):
            match node:
                case (
                    ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                    | ast.ClassDef(name=name)
                    | ast.Name(id=name, ctx=ast.Store())
                ):
                    self._give(name)
                case ast.Assign(targets=[ast.Name(id="__slots__")], value=ast.Tuple(elts=slots)):
                    for one in slots:
                        self._give(str(getattr(one, "value", "")))
                case ast.Import() | ast.ImportFrom(level=0):
                    self._import(node)
                case ast.Attribute(attr=name) if is_private(name):
                    self._look(node)

    def _give(self, name: str) -> None:
        if is_private(name):
            self.own.add(name)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        for one in node.names:
            path = module + one.name
            if is_foreign(path):
                self.foreign.add(one.asname or (one.name if module else path.partition(".")[0]))
                self.imported += [path] if any(map(is_private, path.split("."))) else []

    def _look(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store):
            self._give(node.attr)
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if node.attr not in DOCUMENTED:
            self.read.append((root.id if isinstance(root, ast.Name) else "", node.attr))

    def uses(self, own: set[str]) -> list[str]:
        """Private names that are imported, read off an import, or given to nothing of ours."""
        return self.imported + [
            name for root, name in self.read if root in self.foreign or name not in own
        ]


def test_no_private_name_of_a_dependency_is_used() -> None:
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    files = {str(path.relative_to(ROOT)): Private(path.read_text()) for path in paths}
    own = set[str]().union(*(one.own for one in files.values()))
    looked = {name: one.uses(own) for name, one in files.items() if not name.startswith(LEFT_OUT)}
    assert {f"{name} {one}" for name, found in looked.items() for one in found} == ALLOWED


def test_the_allowed_ones_exist_in_the_one_release_that_is_pinned() -> None:
    node = Node(root_balance_wei=0)
    assert hasattr(node, "_backend")
    rpc = RPCNode(node)
    assert {"_methods", "_eth_get_block_by_hash", "_eth_get_block_by_number"} <= set(dir(rpc))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert f"alysis=={version('alysis')}" in extras["demo"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from coincurve._libsecp256k1 import lib", ["coincurve._libsecp256k1.lib"]),
        ("from aiohttp.web import _private", ["aiohttp.web._private"]),
        ("import aiohttp._http_parser", ["aiohttp._http_parser"]),
        ("import aiohttp\naiohttp.web._ours", ["_ours"]),
        ("import aiohttp as a\na._ours", ["_ours"]),
        (
            "class One(web.RequestHandler):\n    def f(self): return self._current_request",
            ["_current_request"],
        ),
        ("self._ours; one._ours", []),
        ("from sayso_node._x import y; import _thread; os._exit(1); one._replace(a=1)", []),
    ],
)
def test_what_it_sees(text: str, found: list[str]) -> None:
    assert Private(text).uses({"_ours"}) == found
