"""House rules that a machine can hold: the size of files and functions, and what a file may not say."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from support.tracked import ROOT, tracked

SOURCE = ("protocol", "contracts", "node", "cli", "scripts")
FILE_LINES = 300
TEST_FILE_LINES = 500
FUNCTION_LINES = 50
FOLDER_MODULES = 15
PACKAGES = ("sayso_protocol", "sayso_contracts", "sayso_node", "sayso")

# Spelt in pieces, so that this file does not name what it forbids.
LEFT = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
REGISTRY_HOSTS = re.compile(
    "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)"])
)


@cache
def ours() -> list[Path]:
    return [path for path in map(ROOT.joinpath, tracked()) if path.is_file()]


class File(NamedTuple):
    """What is held of a file of Python, so that each is read once.

    Attributes:
        name: From the root of the repository.
        lines: How many it has.
        functions: Where each begins and what it is called, and its lines.
        public: Each public class and constant at its top. The meaning of a class is its place, that of a
            constant its value.
        is_told: Whether it has a docstring.
        left: Words of LEFT that are in it.
    """

    name: str
    lines: int
    functions: dict[str, int]
    public: list[tuple[str, str]]
    is_told: bool
    left: list[str]

    @property
    def room(self) -> str:
        return Path(self.name).parts[0]


@cache
def python_files() -> list[File]:
    return [read(path) for path in ours() if path.suffix == ".py"]


def read(path: Path) -> File:
    name, text = str(path.relative_to(ROOT)), path.read_text()
    tree = ast.parse(text)
    functions = {
        f"{name}:{one.lineno} {one.name}": (one.end_lineno or 0) - one.lineno + 1
        for one in statements(tree)
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    public = [(one, meaning) for one, meaning in defined(tree, name) if not one.startswith("_")]
    left = re.findall(LEFT, text)
    return File(name, text.count("\n"), functions, public, bool(ast.get_docstring(tree)), left)


def statements(within: ast.AST) -> Iterator[ast.stmt]:
    """All statements, without a look into expressions, in which there are none."""
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        for one in getattr(within, field, ()):
            if isinstance(one, ast.stmt):
                yield one
            yield from statements(one)


def defined(tree: ast.Module, name: str) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name, name
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id.isupper():
                    yield target.id, ast.dump(node.value)


def test_there_is_something_to_hold() -> None:
    assert len(python_files()) > 100
    assert {one.room for one in python_files()} >= {"tests", *SOURCE}


def test_files_are_short() -> None:
    most = {"tests": TEST_FILE_LINES}
    assert [one.name for one in python_files() if one.lines > most.get(one.room, FILE_LINES)] == []


def test_functions_are_short() -> None:
    found = [item for file in python_files() for item in file.functions.items()]
    assert len(found) > 1_000
    assert {name: lines for name, lines in found if lines > FUNCTION_LINES} == {}


def test_functions_within_anything_are_seen() -> None:
    text = """
class A:
    def a(self):
        with self:
            async def b(): ...
try:
    pass
except E:
    def c(): ...
else:
    match x:
        case 1:
            def d(): ...
finally:
    while x:
        def e(): ...
"""
    named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    found = [one.name for one in statements(ast.parse(text)) if isinstance(one, named)]
    assert found == ["A", "a", "b", "c", "d", "e"]


def test_folders_of_product_code_are_small() -> None:
    modules = Counter(
        str(path.parent.relative_to(ROOT))
        for path in ours()
        if path.suffix in {".py", ".ts"}
        and path.relative_to(ROOT).parts[0] in SOURCE
        and path.name != "__init__.py"
    )
    assert {folder: count for folder, count in modules.items() if count > FOLDER_MODULES} == {}


def test_every_module_says_its_rule() -> None:
    assert [one.name for one in python_files() if one.room in SOURCE and not one.is_told] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_public_name_has_one_meaning_in_a_package(package: str) -> None:
    meanings: dict[str, set[str]] = {}
    for file in python_files():
        if package in Path(file.name).parts:
            for name, meaning in file.public:
                meanings.setdefault(name, set()).add(meaning)
    assert len(meanings) > 10
    assert [name for name, found in meanings.items() if len(found) > 1] == []


def test_no_file_names_a_registry_host() -> None:
    found = []
    for path in ours():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [str(path.relative_to(ROOT))] if REGISTRY_HOSTS.search(text) else []
    assert not found


def test_no_text_of_an_error_decides_anything() -> None:
    """A node could write the word that was looked for into another error, and was believed."""
    text = r"str\((?:error|err|e|exc)\)"
    parsed = re.compile(rf"""["'] (?:not )?in {text}|{text}\.(?:starts|ends)with\(""")
    places = [ROOT / one.name for one in python_files() if one.room in SOURCE]
    assert [str(place) for place in places if parsed.search(place.read_text())] == []


def test_nothing_is_left_for_later_in_the_code() -> None:
    assert {one.name: one.left for one in python_files() if one.left} == {}
