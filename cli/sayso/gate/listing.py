"""A manifest for data that has none: the hash of each file or value, and its license of a bundle."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

from sayso.extras import extra
from sayso.files import find_files, item_hash
from sayso.gate.contents import digest_of
from sayso.gate.formats.json_rows import granted_lines
from sayso.gate.hashes import SALT, salted_by
from sayso.outputs import Outputs

Find = Callable[[bytes], bytes | None]  # item hash -> license hash
_ROWS = 256  # of a table at once, whose values may be media


class Listed(NamedTuple):
    """Listed counts the rows that were written, and the files or values without a license."""

    rows: int
    without: int


def list_files(paths: Iterable[Path], find: Find, out: Path) -> Listed:
    """Write a row for each licensed file, with its name beside the manifest; others are left out.

    Raises:
        FileUnreadable, NothingToGrant: See find_files and item_hash.
        OutputFailed: The manifest cannot be written.
    """
    rows = without = 0

    def licensed() -> Iterator[tuple[str, bytes, bytes]]:
        nonlocal rows, without
        for path in find_files(paths).files:
            item = item_hash(path)
            if (license_hash := find(item)) is None:
                without += 1
            else:
                rows += 1
                yield os.path.relpath(path, out.parent), item, license_hash

    with Outputs() as outputs:
        file = outputs.open(out)
        for line in granted_lines(licensed()):
            file.write(line)
        outputs.commit()
    return Listed(rows, without)


def list_values(path: Path, column: str, find: Find, out: Path) -> Listed:
    """Write a Parquet file again, with the columns `license` and `item` of each value.

    Raises:
        BadManifest, FileUnreadable: It cannot be read, or has no such column, or has those two.
        OutputFailed: The manifest cannot be written.
    """
    with extra("data"):
        import pyarrow as pa  # noqa: PLC0415 - only for tables
        import pyarrow.parquet as pq  # noqa: PLC0415
    from sayso.errors import BadManifest  # noqa: PLC0415
    from sayso.gate.formats.tables.parquet import table_errors  # noqa: PLC0415

    rows = without = 0
    with Outputs() as outputs, table_errors(path), pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        if column not in names or {"license", "item"} & {*names}:
            raise BadManifest(f"it needs a column {column!r}, and none that is called license or item")
        schema = file.schema_arrow
        for name in ("license", "item"):
            schema = schema.append(pa.field(name, pa.binary(32)))
        staged = outputs.open(out)
        with pq.ParquetWriter(staged.part, schema) as writer:
            for batch in file.iter_batches(_ROWS):
                salts = batch.column(SALT).to_pylist() if SALT in names else repeat(None)
                values = batch.column(column).to_pylist()
                items = [
                    salted_by(salt, digest_of(one, path, column))
                    for one, salt in zip(values, salts, strict=False)
                ]
                licenses = [find(one) for one in items]
                rows += len(items)
                without += licenses.count(None)
                columns: list[Any] = [*batch.columns]
                columns += [pa.array(some, pa.binary(32)) for some in (licenses, items)]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
        outputs.commit()
    return Listed(rows - without, without)
