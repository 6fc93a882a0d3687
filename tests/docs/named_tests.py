"""Tables of documents that name tests: each test has to exist."""

import ast
import re

from docs.markdown import ROOT

NAMED = re.compile(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`")


def check_named(cell: str) -> None:
    """Fail if a cell names no test, or one that is not there."""
    named = NAMED.findall(cell)
    assert named, "the row names no test"
    for path, function in named:
        tree = ast.parse((ROOT / path).read_text())
        names = {
            one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert not function or function in names, f"{path} has no {function}"
