"""Checks query strings: only the names that the operation declares, each once.

A misspelled option is an error, because the answer without it would mislead.
"""

from functools import lru_cache
from typing import Final

from yarl import URL

from sayso_node.api.schema.operations import Operation
from sayso_node.errors import BadRequest

_NONCE: Final = "&nonce="


def check_query(operation: Operation, text: str) -> None:
    """Check a query string; raises BadRequest."""
    rest, nonce = split_nonce(text)
    _check(operation, rest, () if nonce is None else ("nonce",))


def split_nonce(text: str) -> tuple[str, str | None]:
    """Split a nonce off the end of a query string, because the rest is often that of other requests.

    A nonce at another place, or with escapes, remains in the rest.
    """
    rest, mark, nonce = text.rpartition(_NONCE)
    if mark and nonce.isascii() and nonce.isalnum():
        return rest, nonce
    return text, None


@lru_cache(256)
def _check(operation: Operation, text: str, more: tuple[str, ...]) -> None:
    names = operation.asked
    if names is None:
        return
    query = URL.build(path="/", query_string=text, encoded=True).query
    given = [*[name for name, _ in query.items()], *more]
    needed = {name for name, must in names.items() if must}
    if not needed <= set(given) <= set(names) or len(given) != len(set(given)):
        may = f"may have {', '.join(sorted(names))}, each once" if names else "has no query"
        must = f", and must have {', '.join(sorted(needed))}" if needed else ""
        raise BadRequest(f"this route {may}{must}")
