"""The node's key: written once, for its owner's eyes, and never guessed from a broken file."""

import os
import stat
from pathlib import Path

import pytest

from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.identity import create_identity, load_identity
from sayso_protocol.primitives import sha256

SEED = sha256(b"seed")


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    written = create_identity(path, lambda count: SEED[:count])
    assert bytes(load_identity(path)) == bytes(written) == SEED


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read_it(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        create_identity(tmp_path / "identity.key", lambda count: SEED[:count])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "identity.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", SEED.hex(), "an older release's"])
def test_it_is_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "identity.key"
    path.write_text(content)
    with pytest.raises(InvalidNodeConfig, match="never replaced"):
        create_identity(path, bytes)
    assert path.read_text() == content


@pytest.mark.parametrize(
    "content", [b"", b"words", SEED.hex()[:-2].encode(), SEED.hex().encode() + b"00", b"\xff\xfe", SEED]
)
def test_a_broken_file_is_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "identity.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InvalidNodeConfig):
        load_identity(path)


def test_a_missing_file_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(InvalidNodeConfig):
        load_identity(tmp_path / "identity.key")
    with pytest.raises(InvalidNodeConfig):
        create_identity(tmp_path / "missing" / "identity.key", lambda count: SEED[:count])
