"""The gas of a relay."""

from collections.abc import Iterable

from sayso_contracts.relay import Load, RelayItem, load_of


def gas_bound(items: Iterable[RelayItem]) -> int:
    """The gas that a relay of these items never exceeds."""
    return sum(map(load_of, items), Load()).gas
