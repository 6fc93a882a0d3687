"""The protocol has no clock, disk, network or randomness of its own, and raises only what has a code."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import sayso_protocol
from sayso_protocol import errors

SOURCES = sorted(Path(next(iter(sayso_protocol.__path__))).glob("**/*.py"))
PURE = {
    "abc",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "enum",
    "errno",  # the numbers of errors, as constants
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "struct",
    "tomllib",
    "types",
    "typing",
}
LIBRARIES = {"coincurve", "msgpack", "msgspec", "nacl", "numpy", "sayso_protocol", "sha3"}
# Reach for the clock, the disk, or a secret, though their modules are pure.
FORBIDDEN_NAMES = {"now", "today", "utcnow", "open", "print", "input", "eval", "exec", "__import__"}
FORBIDDEN_CALLS = {"SigningKey.generate", "PrivateKey"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where things come from"
            yield node.module or ""


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_only_pure_modules_are_imported(path: Path) -> None:
    names = set(imported(ast.parse(path.read_text()))) - {
        "urllib.parse"
    }  # the rest of urllib is no text
    assert {name.split(".")[0] for name in names} <= PURE | LIBRARIES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_nothing_reaches_for_clock_disk_or_randomness(path: Path) -> None:
    calls = set(called(ast.parse(path.read_text())))
    assert not {call for call in calls if call.split(".")[-1] in FORBIDDEN_NAMES}
    assert not calls & FORBIDDEN_CALLS


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_only_errors_with_a_code_are_raised(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = ast.unparse(node.exc).split("(")[0]
            assert issubclass(getattr(errors, name), errors.SaysoError)


def test_every_error_has_its_own_code_and_a_sentence() -> None:
    found = [
        one
        for _, one in inspect.getmembers(errors, inspect.isclass)
        if issubclass(one, errors.SaysoError) and one is not errors.MessageError
    ]
    codes = [error.code for error in found]
    assert len(set(codes)) == len(codes) > 10
    assert all((error.__doc__ or "").strip().endswith(".") for error in found)
