"""The store has a door (store/interface.py): who goes past it is named here. Imports: `make lint`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import sayso
import sayso_contracts
import sayso_node
import sayso_protocol

PACKAGES = [
    Path(str(one.__file__)).parent for one in (sayso, sayso_contracts, sayso_node, sayso_protocol)
]
DUCKDB = "adapters/duckdb.py"  # another database, of the buyer
SHOP = "/marketplace/"  # another database, of the shop
STORE = Path(sayso_node.__file__).parent / "store"
RAW = re.compile(
    r"\.(execute|executemany|executescript|cursor)\(|PRAGMA|sayso_node\.store\.(sqlite|postgres)"
)
CHANGES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b")
# The last is max() or min() of two values, which PostgreSQL calls greatest() and least().
ONLY_SQLITE = re.compile(
    r"PRAGMA|sqlite_|INSERT OR|\bx''|\bifnull\(|\browid\b|= (?:max|min)\(\w+,", re.IGNORECASE
)


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node


def texts(node: ast.AST) -> list[str]:
    constants = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return [one for one in constants if isinstance(one, str)]


def queries() -> list[Path]:
    """Where SQL is written for every backend."""
    apart = ("sqlite", "postgres", "tables")  # tables are translated
    return [path for path in STORE.rglob("*.py") if path.parent.name not in apart]


def test_nobody_outside_sends_sql_or_names_a_backend() -> None:
    outside = [
        path for package in PACKAGES for path in package.rglob("*.py") if not path.is_relative_to(STORE)
    ]
    assert len(outside) > 200
    raw = [str(path) for path in outside if RAW.search(path.read_text())]
    assert [path for path in raw if not path.endswith(DUCKDB) and SHOP not in path] == []


def test_rows_that_are_asked_for_are_read_first() -> None:
    """SQLite 3.46 reads a whole table before them unless the order is fixed (store/many.py)."""
    joined = re.compile(r"FROM \{\}[\s\"]+((?:CROSS )?JOIN)")
    found = [kind for path in queries() for kind in joined.findall(path.read_text())]
    assert found
    assert set(found) == {"CROSS JOIN"}


def test_what_takes_a_reading_changes_nothing() -> None:
    """mypy sees who hands a Reading to a change; the SQL itself it cannot read."""
    takes = {
        f"{path.name}: {function.name}": any(map(CHANGES.match, texts(function)))
        for path in queries()
        for function in functions(path)
        if any(one.annotation and ast.unparse(one.annotation) == "Reading" for one in function.args.args)
    }
    assert len(takes) > 50
    assert [name for name, changes in takes.items() if changes] == []


def test_queries_are_for_every_backend() -> None:
    special = [
        f"{path.name}: {text}"
        for path in queries()
        for text in texts(ast.parse(path.read_text()))
        if ONLY_SQLITE.search(text) and path.name not in ("interface.py", "opening.py")
    ]
    assert special == []
