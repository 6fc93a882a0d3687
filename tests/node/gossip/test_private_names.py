"""Private names of py-libp2p: one module has them all, and the pinned release has each of them."""

import ast
import importlib
import inspect
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import sayso_node
from node.gossip.harness import configuration
from sayso_node.gossip.host import private
from sayso_node.gossip.host.host import GossipHost
from sayso_node.gossip.host.muxer import BoundedYamux

ROOT = Path(__file__).parents[3]
PACKAGE = Path(sayso_node.__file__).parent
PRIVATE_NAME = re.compile(r"(?<!\w)_[a-z]\w*")
MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "libp2p" in path.read_text() and path != Path(private.__file__)
]


def _attributes(path: Path) -> Iterator[ast.Attribute]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and PRIVATE_NAME.fullmatch(node.attr):
            yield node


def _is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"self", "cls", "os"}


def _library_names(cls: type) -> set[str]:
    """Every private name in the source of the classes of libp2p that a class descends from."""
    bases = [base for base in cls.__mro__ if base.__module__.startswith("libp2p.")]
    return {name for base in bases for name in PRIVATE_NAME.findall(inspect.getsource(base))}


def _classes(path: Path) -> Iterator[type]:
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for cls in vars(importlib.import_module(name)).values():
        if isinstance(cls, type) and cls.__module__ == name:
            yield cls


def test_the_release_is_pinned_and_is_the_one_installed() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert f"libp2p=={version('libp2p')}" in extras["node"]


def test_the_pinned_release_has_every_name() -> None:
    async def ignore(_peer: str, _connected: bool) -> None:
        raise NotImplementedError

    host = GossipHost.build(configuration(1, []), Counter(), ignore)  # type: ignore[arg-type]
    swarm = host.swarm
    muxer = BoundedYamux.__new__(BoundedYamux)
    for one in (host.router, host.pubsub, swarm, swarm.auto_connector, host.host, muxer):
        library = [base for base in type(one).__mro__ if base.__module__.startswith("libp2p.")]
        names = private.PRIVATE.get(library[0].__name__, frozenset())
        assert names, f"nothing is listed for {library[0].__name__}"
        assert all(hasattr(one, name) for name in names)
        assert names <= _library_names(type(one))


def test_the_list_has_exactly_what_the_module_uses() -> None:
    tree = ast.parse(Path(private.__file__).read_text())
    methods = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    used = {node.attr for node in _attributes(Path(private.__file__))}
    overridden = {name for name in methods if PRIVATE_NAME.fullmatch(name)}
    assert used | overridden == set().union(*private.PRIVATE.values())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_other_module_touches_one(path: Path) -> None:
    assert not [f"line {node.lineno}: {node.attr}" for node in _attributes(path) if not _is_own(node)]
    own = {node.attr for node in _attributes(path)}
    for cls in _classes(path):
        assert not (own | set(vars(cls))) & _library_names(cls)
