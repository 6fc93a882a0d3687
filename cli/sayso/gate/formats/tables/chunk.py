"""Column chunks of Parquet as a footer describes them. pyarrow ends the process for damaged ones.

Numbers of fields, encodings and codecs are those of parquet.thrift.
"""

from typing import Final, NamedTuple

from sayso.gate.formats.tables.thrift import Struct

# ColumnChunk
FILE_PATH, CHUNK_OFFSET, META, COLUMN_INDEX = 1, 2, 3, 6
# ColumnMetaData
TYPE, ENCODINGS, PATH, CODEC, COUNT, UNCOMPRESSED, COMPRESSED, DATA = 1, 2, 3, 4, 5, 6, 7, 9
INDEX, DICTIONARY, STATISTICS, BLOOM_OFFSET, BLOOM_LENGTH = 10, 11, 12, 14, 15

BYTE_ARRAY: Final = 6
HADOOP_LZ4: Final = 5
# As pyarrow's writer calls them; Hadoop's frame of LZ4 can only be read.
CODECS: Final = ("NONE", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4")
_PLAIN, _RLE, _BIT_PACKED, _DELTA_LENGTH, _DELTA_BYTES = 0, 3, 4, 6, 7
_DICTIONARIES: Final = frozenset({2, 8})
_EACH_ON_ITS_OWN: Final = frozenset({_PLAIN, _RLE, _BIT_PACKED, _DELTA_LENGTH})
_WRITTEN: Final = {
    5: "DELTA_BINARY_PACKED",
    6: "DELTA_LENGTH_BYTE_ARRAY",
    7: "DELTA_BYTE_ARRAY",
    9: "BYTE_STREAM_SPLIT",
}


class Chunk(NamedTuple):
    """Chunk is the part of a column in one row group."""

    fields: Struct

    @property
    def meta(self) -> Struct:
        """Return its ColumnMetaData."""
        found: Struct = self.fields[META][1]
        return found

    @property
    def path(self) -> str:
        """Return the path of the column, with dots."""
        return ".".join(one.decode() for one in self.meta[PATH][1].items)

    @property
    def values(self) -> int:
        """Return the number of its values, nulls included."""
        return int(self.meta[COUNT][1])

    @property
    def size(self) -> int:
        """Return its size in bytes without compression."""
        return int(self.meta[UNCOMPRESSED][1])

    @property
    def codec(self) -> int:
        """Return the number of its compression."""
        return int(self.meta[CODEC][1])

    @property
    def has_dictionary(self) -> bool:
        """Return whether its values stand in a dictionary."""
        return bool(_DICTIONARIES & self._encodings)

    @property
    def encoding(self) -> str | None:
        """Return the encoding of its values that is neither plain nor a dictionary, or None."""
        return next((name for number, name in _WRITTEN.items() if number in self._encodings), None)

    @property
    def repeats(self) -> bool:
        """Return whether one text in the file can be many in memory."""
        return self.meta[TYPE][1] == BYTE_ARRAY and not self._encodings <= _EACH_ON_ITS_OWN

    @property
    def has_prefixes(self) -> bool:
        """Return whether a text may say only how much it shares with the one before."""
        return _DELTA_BYTES in self._encodings

    @property
    def _encodings(self) -> set[int]:
        return set(self.meta[ENCODINGS][1].items)
