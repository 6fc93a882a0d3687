"""Key files: encrypted, private, never overwritten, opened only by their password."""

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account

from cli.conftest import EASY, PASSWORD, World
from sayso.commands import asking
from sayso.contributor.keystore import account_from_hex, key_address, load_key, new_account, save_key
from sayso.errors import BadKeyFile, KeyExists, OutputFailed, WrongPassword
from sayso_protocol.primitives import address_from_text

KEY = "0x" + "11" * 32


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full work of scrypt takes a second each time."""
    monkeypatch.setattr(save_key, "__kwdefaults__", {"work": EASY})


def test_new_and_show(world: World) -> None:
    address = world.run("key", "new", "me.json").stdout.strip()
    path = world.folder / "me.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path, PASSWORD).address == address
    assert world.run("key", "show", "me.json").stdout.strip() == address
    assert json.loads(world.run("key", "show", "me.json", "--json").stdout)["address"] == address


def test_the_private_key_is_nowhere_in_the_file(tmp_path: Path) -> None:
    account = new_account()
    save_key(tmp_path / "k", account, "x")
    text = (tmp_path / "k").read_text().lower()
    assert bytes(account.key).hex() not in text


def test_an_existing_file_is_never_overwritten(world: World) -> None:
    before = world.key.read_bytes()
    world.fails("key-exists", "key", "new", world.key)
    assert world.key.read_bytes() == before
    Path("link").symlink_to("nowhere")
    world.fails("key-exists", "key", "new", "link")


def test_two_at_once_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file appears between the look and the writing."""
    path = tmp_path / "k"
    path.write_text("mine")
    monkeypatch.setattr("sayso.contributor.keystore.os.path.lexists", lambda _: False)
    with pytest.raises(KeyExists):
        save_key(path, new_account(), "x")
    assert path.read_text() == "mine"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed):
        save_key(tmp_path / "no" / "k", new_account(), "x")


def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sayso.contributor.keystore.os.fsync", full)
    with pytest.raises(OutputFailed):
        save_key(tmp_path / "k", new_account(), "x")
    assert not list(tmp_path.iterdir())


def test_import(world: World) -> None:
    expected = Account.from_key(KEY).address
    world.write("hex", KEY.encode() + b"\n")
    assert world.run("key", "new", "a.key", "--import", "hex").stdout.strip() == expected
    typed = world.run("key", "new", "b.key", "--import", "-", typed=KEY[2:] + "\n")
    assert typed.stdout.strip() == expected


@pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, "00" * 32, "ff" * 32, "11" * 33])
def test_import_of_no_key(world: World, text: str) -> None:
    world.write("hex", text.encode() or b"\n")
    result = world.fails("bad-key-file", "key", "new", "a.key", "--import", "hex")
    assert "a.key" not in world.left()
    assert not text or text not in result.stderr, "the private key is quoted"
    with pytest.raises(BadKeyFile):
        account_from_hex(text)


def test_the_password_is_asked_for_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAYSO_PASSWORD")
    monkeypatch.setattr(asking, "_has_terminal", lambda: True)
    world.run("key", "new", "me.json", typed="one\nother\none\none\n")
    assert load_key(world.folder / "me.json", "one")


def test_the_password_from_a_file(world: World) -> None:
    world.write("pw", "pä ss \n".encode())
    world.run("key", "new", "me.json", "--password-file", "pw")
    assert load_key(world.folder / "me.json", "pä ss ")
    world.fails("file-unreadable", "key", "new", "you.json", "--password-file", "no")
    (world.folder / "empty").touch()
    world.run("key", "new", "you.json", "--password-file", "empty", status=2)
    assert "you.json" not in world.left()


def test_a_wrong_password(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_PASSWORD", "battery staple")
    world.write("a.jpg")
    terms = ("--grantee", "anyone", "--purpose", "train-ai", "--expires", "1y")
    world.fails("wrong-password", "grant", "a.jpg", "--key", world.key, *terms, "--manifest", "m")
    world.fails("wrong-password", "revoke", "everything", "--key", world.key, "--yes")
    assert "m" not in world.left()
    assert not world.node.memory.envelopes
    with pytest.raises(WrongPassword):
        load_key(world.key, "battery staple")


def keystore(**changes: object) -> bytes:
    encrypted = Account.encrypt(bytes.fromhex(KEY[2:]), PASSWORD, kdf="scrypt", iterations=EASY)
    return json.dumps({**encrypted, **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 200_000,
        b'{"version": 3}',
        keystore(version=1),
        keystore(crypto={}),
        keystore(crypto=7),
        keystore(crypto={"kdf": "none"}),
        keystore(address="11" * 20),
    ],
)
def test_a_file_that_is_no_key(world: World, data: bytes) -> None:
    path = world.write("bad.json", data)
    world.fails("bad-key-file", "revoke", "everything", "--key", "bad.json", "--yes")
    with pytest.raises(BadKeyFile):
        load_key(path, PASSWORD)


def test_a_missing_key(world: World) -> None:
    world.fails("bad-key-file", "key", "show", "no.json")
    world.fails("bad-key-file", "revoke", "everything", "--key", "no.json")


def test_the_address_is_read_in_any_form(tmp_path: Path) -> None:
    address = address_from_text(Account.from_key(KEY).address)
    for text in (address.hex(), "0x" + address.hex(), address.hex().upper()):
        (tmp_path / "k").write_bytes(keystore(address=text))
        assert key_address(tmp_path / "k") == address
