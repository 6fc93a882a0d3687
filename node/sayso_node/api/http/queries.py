"""Checks query strings: only the names that the operation declares, each once.

A misspelled option is an error, because the answer without it would mislead.
"""

from functools import lru_cache

from yarl import URL

from sayso_node.api.schema.operations import Operation
from sayso_node.errors import BadRequest


@lru_cache(256)
def check_query(operation: Operation, text: str) -> None:
    """Check a query string; raises BadRequest."""
    names = operation.asked
    if names is None:
        return
    given = URL.build(path="/", query_string=text, encoded=True).query
    needed = {name for name, must in names.items() if must}
    if not needed <= set(given) <= set(names) or len(given) != len(set(given)):
        may = f"may have {', '.join(sorted(names))}, each once" if names else "has no query"
        must = f", and must have {', '.join(sorted(needed))}" if needed else ""
        raise BadRequest(f"this route {may}{must}")
