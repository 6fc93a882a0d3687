"""The end of the first part of a file is not the end of the data: all is read, or it fails."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from cli.gate.test_two_readers import FILES, PACKERS, tar_of

BUNDLE = ("--bundle", "licenses.sayso")


def archive(buyer: Buyer) -> bytes:
    return tar_of("w", *FILES)(buyer).read_bytes()


def lines(buyer: Buyer) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in buyer.rows)


FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "cut at the start": lambda data: data[: len(data) // 8],
    "cut in the middle": lambda data: data[: len(data) // 2],
    "cut before the last byte": lambda data: data[:-1],
    "something follows": lambda data: data + b"something else",
    "a byte is changed": lambda data: data[: len(data) // 2] + b"\xa5\x5a" + data[len(data) // 2 + 2 :],
    "another part is cut": lambda data: data + data[: len(data) // 2],
}


# Arrow's packer of zst writes no checksum, so a changed byte is another byte of the data.
PAIRS = [
    (ending, fault)
    for ending in PACKERS
    for fault in FAULTS
    if (ending, fault) != ("zst", "a byte is changed")
]


@pytest.mark.parametrize(("ending", "fault"), PAIRS)
@pytest.mark.parametrize("name", ["m.jsonl", "m.tar"])
def test_compressed_data_is_read_to_its_end_or_fails(
    buyer: Buyer, name: str, ending: str, fault: str
) -> None:
    buyer.bundle()
    data = lines(buyer) if name == "m.jsonl" else archive(buyer)
    buyer.world.write(f"{name}.{ending}", FAULTS[fault](PACKERS[ending](data)))
    buyer.world.fails("bad-manifest", "check", f"{name}.{ending}", *QUERY, *BUNDLE, "--out", "kept")
    assert not [one for one in buyer.world.left() if "kept" in one]


@pytest.mark.parametrize("ending", PACKERS)
def test_every_part_of_compressed_data_is_read(buyer: Buyer, ending: str) -> None:
    buyer.revoke("d.flac")
    parts = [PACKERS[ending](one + b"\n") for one in lines(buyer).splitlines()]
    empty = PACKERS[ending](b"")
    buyer.world.write(f"m.jsonl.{ending}", empty.join([b"", *parts]))
    told = buyer.check(f"m.jsonl.{ending}", "--json", status=3)
    assert json.loads(told.stdout)["reasons"] == {"revoked": 1}
    assert json.loads(told.stdout)["rows"] == 4


def headless(buyer: Buyer, cut: int) -> bytes:
    return archive(buyer)[:cut]


MEMBER = 1_024  # a header, and one block of content
TARS: dict[str, Callable[[bytes], bytes]] = {
    "cut within a header": lambda data: data[: 2 * MEMBER + 200],
    "cut within a file": lambda data: data[: 2 * MEMBER + 600],
    "cut between files": lambda data: data[: 2 * MEMBER],
    "two archives": lambda data: data + data,
    "two archives without a gap": lambda data: data[: 4 * MEMBER + 1_024] + data,
    "a zero block, and more files": lambda data: data[:MEMBER] + bytes(512) + data[MEMBER:],
    "a header of nothing": lambda data: data[:MEMBER] + b"\1" * 512 + data[MEMBER:],
    "a damaged header": lambda data: data[:MEMBER] + b"\xff" + data[MEMBER + 1 :],
    "text follows": lambda data: data + b"text",
    "nothing": lambda data: b"",
}


@pytest.mark.parametrize("fault", TARS)
def test_archives_are_read_to_their_end_or_fail(buyer: Buyer, fault: str) -> None:
    buyer.bundle()
    buyer.world.write("n.tar", TARS[fault](archive(buyer)))
    buyer.world.fails("bad-manifest", "check", "n.tar", *QUERY, *BUNDLE, "--out", "kept.tar")
    assert not [one for one in buyer.world.left() if "kept" in one]


def test_one_zero_block_ends_an_archive(buyer: Buyer) -> None:
    buyer.bundle()
    buyer.world.write("n.tar", archive(buyer)[: 4 * MEMBER + 512])
    buyer.check("n.tar", *BUNDLE, "--out", "kept.tar")


def test_a_sample_with_a_link_is_unknown(buyer: Buyer) -> None:
    """Some readers follow it, and some skip it."""
    buyer.bundle()
    path = buyer.folder / "n.tar"
    with tarfile.open(path, "w") as out:
        for name in ("1.flac", "2.flac"):
            info = tarfile.TarInfo(name)
            info.size = len(b"a.flac")
            out.addfile(info, io.BytesIO(b"a.flac"))
        for name, kind in (("3.flac", tarfile.LNKTYPE), ("4.flac", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "1.flac"
            out.addfile(info)
    told = buyer.world.fails("bad-manifest", "check", "n.tar", *QUERY, *BUNDLE).stderr
    assert "--bad-rows reject" in told
    files = ("--out", "kept.tar", "--rejected", "why.jsonl", "--receipt", "receipt.json")
    buyer.check("n.tar", *BUNDLE, "--bad-rows", "reject", *files, status=3)
    with tarfile.open("kept.tar") as kept:
        assert kept.getnames() == ["1.flac", "2.flac"]
    why = [(one["file"], one["reason"]) for one in buyer.world.rows("why.jsonl")]
    assert why == [("3.flac", "unknown"), ("4.flac", "unknown")]
    proof = ("receipt.json", "--manifest", "n.tar", "--rejected", "why.jsonl")
    buyer.world.run("receipt", "verify", *proof, *BUNDLE)


def test_xz_asks_for_no_more_memory_than_its_bound(buyer: Buyer) -> None:
    """A head of a few bytes can ask for a dictionary of gibibytes."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
    data = lzma.compress(lines(buyer), lzma.FORMAT_XZ, filters=filters)
    buyer.world.write("m.jsonl.xz", data)
    buyer.world.fails("bad-manifest", "check", "m.jsonl.xz", *QUERY)


def test_the_packers_are_what_they_are_called() -> None:
    assert gzip.decompress(PACKERS["gz"](b"x")) == bz2.decompress(PACKERS["bz2"](b"x")) == b"x"
    assert pa.decompress(PACKERS["zst"](b"x"), 1, "zstd", asbytes=True) == b"x"
    assert Path("nowhere").suffix == ""
