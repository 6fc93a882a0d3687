"""Product code uses no private names of other libraries, as far as its syntax shows.

A name is private if it begins with one underscore. libp2p's are left out here: they stay in one folder,
which has a test of its own.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
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


def defined(tree: ast.AST) -> Iterator[str]:
    """Private names that a file gives to something of its own."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Assign(targets=[ast.Name(id="__slots__")], value=ast.Tuple(elts=slots)):
                yield from (str(one.value) for one in slots if isinstance(one, ast.Constant))


def foreign_names(tree: ast.AST) -> Iterator[str]:
    """What a file calls the things that it imports from other libraries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if is_foreign(one.name):
                    yield one.asname or one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level and is_foreign(node.module or ""):
            yield from (one.asname or one.name for one in node.names)


def private_uses(tree: ast.AST, own: set[str]) -> Iterator[str]:
    """Private names that are imported, read off an import, or given to nothing of ours."""
    foreign = set(foreign_names(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                paths = [one.name for one in names if is_foreign(one.name)]
                yield from (path for path in paths if any(map(is_private, path.split("."))))
            case ast.ImportFrom(module=str(module), names=names, level=0) if is_foreign(module):
                paths = [f"{module}.{one.name}" for one in names]
                yield from (path for path in paths if any(map(is_private, path.split("."))))
            case ast.Attribute(value=value, attr=name) if is_private(name) and name not in DOCUMENTED:
                root = value
                while isinstance(root, ast.Attribute):
                    root = root.value
                is_import = isinstance(root, ast.Name) and root.id in foreign
                if is_import or name not in own:
                    yield name


def own_names() -> set[str]:
    trees = [ast.parse(path.read_text()) for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {name for tree in trees for name in defined(tree) if is_private(name)}


def test_no_private_name_of_a_dependency_is_used() -> None:
    own, used = own_names(), set[str]()
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        name = str(path.relative_to(ROOT))
        if not name.startswith(LEFT_OUT):
            used |= {f"{name} {one}" for one in private_uses(ast.parse(path.read_text()), own)}
    assert used == ALLOWED


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
    assert list(private_uses(ast.parse(text), {"_ours"})) == found
