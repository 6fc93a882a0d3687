"""Leaves of the schema of Parquet: what their bytes mean, and what is left without the meaning.

Numbers of fields and types are those of parquet.thrift.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sayso.gate.formats.tables.chunk import BYTE_ARRAY, TYPE
from sayso.gate.formats.tables.thrift import I32, Struct

# SchemaElement
LENGTH, REPETITION, NAME, CHILDREN, CONVERTED, SCALE, PRECISION, LOGICAL = 2, 3, 4, 5, 6, 7, 8, 10
INT96, FIXED = 3, 7
INT96_BYTES: Final = 12
_REPEATED: Final = 2  # of FieldRepetitionType
_UNSIGNED: Final = range(11, 15)  # of ConvertedType
_INTEGER, _IS_SIGNED = 10, 2  # of LogicalType, IntType
# Meanings of bytes that are ordered as bytes: texts, enumerations, JSON, BSON, UUID.
_BYTES_CONVERTED: Final = frozenset({0, 4, 19, 20})
_BYTES_LOGICAL: Final = frozenset({1, 4, 12, 13, 14})


class Leaf(NamedTuple):
    """Leaf is a column without children, as the file declares it."""

    element: Struct

    @property
    def type(self) -> int:
        """Return its physical type."""
        return int(self.element[TYPE][1])

    @property
    def is_unsigned(self) -> bool:
        """Return whether its numbers are unsigned, which decides their order."""
        logical = self.element.get(LOGICAL, (0, {}))[1].get(_INTEGER)
        if logical and not logical[1].get(_IS_SIGNED, (0, True))[1]:
            return True
        return self.element.get(CONVERTED, (0, -1))[1] in _UNSIGNED

    @property
    def is_repeated(self) -> bool:
        """Return whether a row may have several of it, or none."""
        return bool(self.element.get(REPETITION, (0, 0))[1] == _REPEATED)

    @property
    def has_order(self) -> bool:
        """Return whether least and greatest of its bytes are those of its values."""
        if self.type not in (BYTE_ARRAY, FIXED, INT96):
            return True
        converted = self.element.get(CONVERTED, (0, 0))[1]
        logical = set(self.element.get(LOGICAL, (0, {}))[1])
        return self.type != INT96 and converted in _BYTES_CONVERTED and logical <= _BYTES_LOGICAL

    def plain(self) -> Struct:
        """Return the element without its meaning, as far as the order of its values stays the same."""
        if self.is_unsigned:
            return self.element
        meaning = (CONVERTED, SCALE, PRECISION, LOGICAL)
        plain = {number: value for number, value in self.element.items() if number not in meaning}
        if self.type == INT96:
            plain |= {TYPE: (I32, FIXED), LENGTH: (I32, INT96_BYTES)}
        return plain


def leaf_paths(elements: Sequence[Struct]) -> Iterator[list[bytes]]:
    """Yield the names from the root to each leaf of a schema, whose elements are parents first."""
    parents = list[tuple[bytes, int]]()  # names, and how many children are still to come
    for one in elements[1:]:
        while parents and not parents[-1][1]:
            parents.pop()
        if parents:
            parents[-1] = parents[-1][0], parents[-1][1] - 1
        if children := one.get(CHILDREN, (0, 0))[1]:
            parents.append((one[NAME][1], children))
        else:
            yield [*(name for name, _ in parents), one[NAME][1]]
