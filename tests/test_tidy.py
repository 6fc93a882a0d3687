"""House rules that a machine can hold: the size of files and functions, and what a file may not say."""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ("protocol", "contracts", "node", "cli", "scripts")
FILE_LINES = 300
TEST_FILE_LINES = 500
FUNCTION_LINES = 50
TEST_FUNCTION_LINES = 70
FOLDER_MODULES = 15
PACKAGES = ("sayso_protocol", "sayso_contracts", "sayso_node", "sayso")

# Spelt in pieces, so that this file does not name what it forbids.
REGISTRY_HOSTS = re.compile(
    "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)"])
)


def tracked(*endings: str) -> list[Path]:
    """Files that git knows, or would know."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    paths = [ROOT / name for name in listed if name.endswith(endings)]
    return [path for path in paths if path.is_file()]


def python_files() -> list[Path]:
    return tracked(".py")


def in_tests(path: Path) -> bool:
    return path.relative_to(ROOT).parts[0] == "tests"


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (
                f"{path.relative_to(ROOT)}:{node.lineno} {node.name}",
                (node.end_lineno or 0) - node.lineno + 1,
            )


def test_there_is_something_to_hold() -> None:
    assert len(python_files()) > 100


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files()
        if (lines := path.read_text().count("\n")) > (TEST_FILE_LINES if in_tests(path) else FILE_LINES)
    }
    assert not long


def test_functions_are_short() -> None:
    long = {
        name: lines
        for path in python_files()
        for name, lines in functions(path)
        if lines > (TEST_FUNCTION_LINES if in_tests(path) else FUNCTION_LINES)
    }
    assert not long


def test_folders_of_product_code_are_small() -> None:
    modules = Counter(
        str(path.parent.relative_to(ROOT))
        for path in tracked(".py", ".ts")
        if path.relative_to(ROOT).parts[0] in SOURCE and path.name != "__init__.py"
    )
    assert {folder: count for folder, count in modules.items() if count > FOLDER_MODULES} == {}


def test_every_module_says_its_rule() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if path.relative_to(ROOT).parts[0] in SOURCE
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def public_names(package: str) -> Iterator[tuple[str, str]]:
    """Name and meaning of each public class and constant that a module of a package defines.

    The meaning of a class is its place, that of a constant its value.
    """
    for path in python_files():
        if package not in path.relative_to(ROOT).parts:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                yield node.name, str(path)
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name) and target.id.isupper():
                        yield target.id, ast.dump(node.value)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_public_name_has_one_meaning_in_a_package(package: str) -> None:
    meanings: dict[str, set[str]] = {}
    for name, meaning in public_names(package):
        if not name.startswith("_"):
            meanings.setdefault(name, set()).add(meaning)
    assert len(meanings) > 10
    assert [name for name, found in meanings.items() if len(found) > 1] == []


def test_no_file_names_a_registry_host() -> None:
    found = []
    for path in tracked(""):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [str(path.relative_to(ROOT))] if REGISTRY_HOSTS.search(text) else []
    assert not found


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "X" + "XX"])
def test_nothing_is_left_for_later_in_the_code(word: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if re.search(rf"\b{word}\b", path.read_text())
    ]
    assert not found
