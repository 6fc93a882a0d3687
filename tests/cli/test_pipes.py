"""No command waits for a file that is a pipe without a writer, nor reads a device without end."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.conftest import QUERY, World
from sayso.errors import FileUnreadable
from sayso.files import opening
from sayso.main import cli

PIPE = "pipe"
HASH = "0x" + "11" * 32
BUYER = "0x52908400098527886E0F7030069857D2E4169EE7"
KEY = ("--key", "ada.json")
UNTIL = ("--expires", "1y", "--manifest", "x.jsonl")
TERMS = (*KEY, "--grantee", "anyone", "--purpose", "train-ai", *UNTIL)
TO = ("--to", BUYER, "--purpose", "train-ai", "--until", "1y", *KEY, "--yes")
USED = ("--purpose", "train-ai", "--run", "7", *KEY, "--yes")
NODE = ("node", "init", "new", "--name", "North", "--rpc", "http://127.0.0.1:1")
DISPUTED = ("--code", "not-theirs", "--until", "90d", *KEY, "--yes")
VERIFIED = ("receipt", "verify", "r.json")
COMPARED = ("receipt", "compare")
DERIVED = ("ada.json", "new.json", "--number", "1")
BOTH = ("--revocation", "m.sayso", "--consents", "m.sayso", "--proof", "r.json")
AT = "@"  # where the pipe stands

# Every argument that names a file to read, beside the others that its command needs.
DOORS: dict[str, tuple[str, ...]] = {
    "key derive PATH": ("key", "derive", AT, "new.json", "--number", "1"),
    "key derive --password-file": ("key", "derive", *DERIVED, "--password-file", AT),
    "key new --password-file": ("key", "new", "new.json", "--password-file", AT),
    "key new --import": ("key", "new", "new.json", "--import", AT),
    "key show PATH": ("key", "show", AT),
    "grant PATHS": ("grant", AT, *TERMS),
    "grant --key": ("grant", "a", *TERMS[2:], "--key", AT),
    "grant --password-file": ("grant", "a", *TERMS, "--password-file", AT),
    "grant --terms": ("grant", "a", *TERMS, "--terms", AT),
    "grant --network": ("grant", "a", *TERMS, "--network", AT),
    "licenses --key": ("licenses", "--key", AT),
    "revoke --file": ("revoke", "--file", AT, *KEY, "--yes"),
    "revoke --salts": ("revoke", "--file", "a", "--salts", AT, *KEY, "--yes"),
    "revoke --consents": ("revoke", "everything", "--consents", AT, *KEY, "--yes"),
    "submit PATHS": ("submit", AT),
    "show PATH": ("show", AT),
    "show --consents": ("show", "m.sayso", "--consents", AT),
    "export SOURCE": ("export", AT, "--format", "aipref"),
    "check MANIFEST": ("check", AT, *QUERY),
    "check --offline": ("check", "m.jsonl", *QUERY, "--offline", AT, "--bundle", "m.sayso"),
    "check --resume": ("check", "m.jsonl", *QUERY, "--resume", AT, "--out", "kept.jsonl"),
    "check --policy": ("check", "m.jsonl", "--policy", AT),
    "manifest DATA": ("manifest", AT, "--bundle", "m.sayso", "--out", "new.jsonl", *QUERY),
    "manifest --bundle": ("manifest", "a", "--bundle", AT, "--out", "new.jsonl", *QUERY),
    "watch --secret": ("watch", "--post", "https://shop.example", "--secret", AT, "--state", "state"),
    "bundle info PATH": ("bundle", "info", AT),
    "bundle pull MANIFEST": ("bundle", "pull", AT, "--out", "new"),
    "bundle verify PATH": ("bundle", "verify", AT),
    "bundle verify --manifest": ("bundle", "verify", "m.sayso", "--manifest", AT),
    "snapshot info PATH": ("snapshot", "info", AT),
    "snapshot pull --out": ("snapshot", "pull", "--out", AT),
    "snapshot verify PATH": ("snapshot", "verify", AT),
    "receipt compare ACKNOWLEDGEMENT": (*COMPARED, AT, "r.json", *BOTH),
    "receipt compare PATH": (*COMPARED, "r.json", AT, *BOTH),
    "receipt compare --revocation": (*COMPARED, "r.json", "r.json", "--revocation", AT, *BOTH[2:]),
    "receipt verify PATH": ("receipt", "verify", AT),
    "receipt verify --manifest": ("receipt", "verify", "r.json", "--manifest", AT),
    "receipt verify --rejected": (*VERIFIED, "--manifest", "m.jsonl", "--rejected", AT),
    "verify-proof PATH": ("verify-proof", AT, "--block-hash", HASH),
    "sublicense --terms": ("sublicense", *TO, "--bundle", "m.sayso", "--terms", AT),
    "sublicense --licenses": ("sublicense", *TO, "--licenses", AT),
    "sublicense --bundle": ("sublicense", *TO, "--bundle", AT),
    "sublicense --manifest": ("sublicense", *TO, "--manifest", AT),
    "sublicense --rejected": ("sublicense", *TO, "--manifest", "m.jsonl", "--rejected", AT),
    "use --record": ("use", "--record", AT, "--manifest", "m.jsonl", *KEY, "--yes"),
    "use --licenses": ("use", "--licenses", AT, *USED),
    "removal --record": ("removal", "--record", AT, "--licenses", "list", *KEY, "--yes"),
    "dispute --file": ("dispute", "--file", AT, *DISPUTED),
    "dispute --files": ("dispute", "--files", AT, *DISPUTED),
    "dispute --contributors": ("dispute", "--contributors", AT, *DISPUTED),
    "impact REVOCATIONS": ("impact", AT, "--records", "runs"),
    "impact --exempt": ("impact", "m.sayso", "--records", "runs", "--exempt", AT),
    "withdraw --digests": ("withdraw", "--digests", AT, *KEY, "--yes"),
    "withdraw --statements": ("withdraw", "--statements", AT, *KEY, "--yes"),
    "marketplace request PATHS": ("marketplace", "request", AT, *TO[2:6], *KEY),
    "marketplace request --terms": (
        "marketplace", "request", "a", *TO[2:6], "--terms", AT, *KEY,
    ),
    "marketplace take ANSWER": ("marketplace", "take", "token", AT, *KEY),
    "node init --anchor-key": (*NODE, "--anchor-key", AT),
    "node restore SOURCE": ("node", "restore", AT, "new"),
    "node import SOURCE": ("node", "import", AT),
    "node init --network": (*NODE, "--network", AT),
}  # fmt: skip

# Outputs, and folders: neither is read as a file. `check --resume` is a journal that the check writes.
WRITTEN = {
    "--out", "--rejected", "--receipt", "--report", "--junit", "--save", "--keep", "--acknowledgement",
    "--manifest", "--resume", "--state", "--records", "--since", "--data", "--bundle", "--proof",
    "FOLDER", "DERIVED", "NEW", "TARGET",
}  # fmt: skip


opened, watched = list[tuple[str, int]](), list[str]()


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """A reader that would wait for the pipe is refused here instead."""
    if event != "open" or not watched:
        return
    path, _, flags = arguments
    if isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).endswith(watched[0]):
        opened.append((str(path), int(str(flags))))
        if not int(str(flags)) & os.O_NONBLOCK:
            raise RuntimeError(f"would wait for {path!r}")


sys.addaudithook(_watch)


@pytest.fixture
def pipe() -> Iterator[str]:
    os.mkfifo(PIPE)
    opened.clear()
    watched.append(PIPE)
    yield PIPE
    watched.clear()


@pytest.fixture
def folder(world: World) -> World:
    """Everything beside the pipe is as the command needs it."""
    world.grant("a")
    world.run("grant", "a", *TERMS[:-1], "n.jsonl", "--save", "m.sayso")
    world.run("check", "m.jsonl", *QUERY, "--out", "kept", "--rejected", "why", "--receipt", "r.json")
    Path("list").write_text(f"{HASH}\n")
    Path("runs").mkdir()
    return world


def test_no_reader_waits(folder: World, pipe: str) -> None:
    """`sayso show` and `sayso bundle verify` waited for ever, and a device filled the memory."""
    waited = {}
    for name, arguments in DOORS.items():
        given = [pipe if one == AT else one for one in arguments]
        result = folder.run_any(*given)
        if result.exit_code != 1 or "error [" not in result.stderr:
            waited[name] = f"{result.exit_code}, {result.exception!r}: {result.output}"
    assert waited == {}


def _paths(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Each command and argument that is a path, as in DOORS."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for one in command.list_commands(context):
            if (below := command.get_command(context, one)) is not None:
                yield from _paths(below, f"{name} {one}".strip())
        return
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            is_option = isinstance(parameter, click.Option)
            yield name, parameter.opts[0] if is_option else str(parameter.name).upper()


def test_every_argument_is_tried() -> None:
    """An option that several commands share is tried with one of them."""
    shared = {one.rpartition(" ")[2] for one in DOORS if "--" in one}
    found = {*_paths(cli, "")}
    assert len(found) > len(DOORS)
    assert {
        (name, one)
        for name, one in found
        if one not in shared | WRITTEN and f"{name} {one}" not in DOORS
    } == {("key new", "PATH")}  # which it writes


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".arrow", ".tar", ".jsonl.gz", ""])
def test_no_format_waits(folder: World, pipe: str, ending: str) -> None:
    Path(pipe).rename(f"{pipe}{ending}")
    watched[0] = f"{pipe}{ending}"
    line = folder.fails("file-unreadable", "check", f"{pipe}{ending}", *QUERY).stderr
    assert "not a regular file" in line


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/null", "."])
def test_a_device_is_no_file(place: str) -> None:
    for forward in (False, True):
        with pytest.raises(FileUnreadable), opening(Path(place), forward=forward):
            pass


def test_a_pipe_with_a_writer_is_read_by_who_goes_forward() -> None:
    """`sayso submit <(...)` of a shell goes on."""
    reader, writer = os.pipe()
    os.write(writer, b"some")
    os.close(writer)
    with opening(Path(f"/dev/fd/{reader}"), forward=True) as file:
        assert file.read() == b"some"
    os.close(reader)
