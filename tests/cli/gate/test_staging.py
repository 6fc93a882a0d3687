"""Manifests on standard input and at URLs: copied once, judged as kept, and bounded."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedWriter, BytesIO, TextIOWrapper
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import click
import fsspec
import pytest
from moto.server import ThreadedMotoServer

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from sayso.errors import FileUnreadable, OutputFailed
from sayso.gate.running import GateFiles
from sayso.gate.staging import _Copy, staged
from sayso.main import cli
from sayso_protocol.errors import TooLarge
from support.waiting import POLL_S

Answer = Callable[[bool], tuple[bytes, str]]  # whether a copy has begun -> body and ETag


@contextmanager
def serving(
    answer: Answer, second_half: Callable[[bytes], bytes] = bytes
) -> Iterator[tuple[str, list[str]]]:
    """A server of one file, whose second half may be sent as something else, and how it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def do_GET(self) -> None:
            self._send(with_body=True)

        def _send(self, *, with_body: bool) -> None:
            body, tag = answer("GET" in asked)
            asked.append(self.command)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", tag)
            self.end_headers()
            if with_body:
                half = len(body) // 2
                self.wfile.write(body[:half])
                self.wfile.write(second_half(body[half:]))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/data/m.jsonl?token=secret", asked
        finally:
            server.shutdown()
            thread.join()


def manifest(buyer: Buyer) -> bytes:
    return (buyer.folder / "m.jsonl").read_bytes()


def test_a_manifest_of_the_web(buyer: Buyer) -> None:
    buyer.revoke()
    with serving(lambda _: (manifest(buyer), '"1"')) as (url, asked):
        more = ("--out", "kept.jsonl", "--rejected", "why.jsonl", "--json")
        told = json.loads(buyer.check(url, *more, status=3).stdout)
    assert (told["rows"], told["clear"]) == (4, 3)
    assert asked.count("GET") == 1
    assert [one["file"] for one in buyer.world.rows("why.jsonl")] == ["b.flac"]
    assert len(buyer.world.rows("kept.jsonl")) == 3
    assert "secret" not in str(told)


def replaced(data: bytes) -> bytes:
    return data.replace(b"flac", b"jpeg")


@pytest.mark.parametrize("change", ["other tag", "other bytes", "gone", "replaced in the middle"])
def test_what_changes_while_it_is_copied(buyer: Buyer, change: str) -> None:
    first = manifest(buyer)
    answers: dict[str, Answer] = {
        "other tag": lambda has_begun: (first, '"2"' if has_begun else '"1"'),
        "other bytes": lambda has_begun: (first + first if has_begun else first, '"1"'),
        "gone": lambda has_begun: (b"" if has_begun else first, '"1"'),
        "replaced in the middle": lambda has_begun: (
            (replaced(first), '"2"') if has_begun else (first, '"1"')
        ),
    }
    second_half = replaced if change == "replaced in the middle" else bytes
    with serving(answers[change], second_half) as (url, _):
        code = "manifest-changed"
        told = buyer.world.fails(code, "check", url, *QUERY, "--out", "kept.jsonl")
    assert "secret" not in told.stderr
    assert not Path("kept.jsonl").exists()


def test_an_answer_that_is_cut(buyer: Buyer) -> None:
    """It is not joined with another answer, which could be of another version."""
    first = manifest(buyer)
    with serving(lambda _: (first, '"1"'), lambda _: b"") as (url, asked):
        told = buyer.world.fails("file-unreadable", "check", url, *QUERY, "--out", "kept.jsonl")
    assert asked.count("GET") == 1
    assert "secret" not in told.stderr
    assert not Path("kept.jsonl").exists()


def test_what_is_larger_than_the_bound() -> None:
    files = fsspec.filesystem("memory")
    files.pipe("/large/m.jsonl", bytes(1_000))
    with pytest.raises(TooLarge), staged("memory://large/m.jsonl", most=999):
        pass
    with pytest.raises(TooLarge), staged("-", most=999, stdin=BytesIO(bytes(1_000))):
        pass


def test_a_disk_that_is_full_while_it_is_copied() -> None:
    files = fsspec.filesystem("memory")
    files.pipe("/full/m.jsonl", bytes(3 << 20))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(OutputFailed, match="cannot write"), staged("memory://full/m.jsonl"):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["memory://shards", "memory://shards/*/*.jsonl"])
def test_a_folder_elsewhere(buyer: Buyer, name: str) -> None:
    """Shards keep their names, also those of one name in two folders."""
    files = fsspec.filesystem("memory")
    for folder in ("a", "b"):
        files.pipe(f"/shards/{folder}/0.jsonl", manifest(buyer))
    buyer.revoke()
    record = buyer.gate().check(name, GateFiles(kept=Path("kept")))
    assert (record.rows, record.clear) == (8, 6)
    assert sorted(str(one) for one in Path("kept").glob("*/*")) == ["kept/a/0.jsonl", "kept/b/0.jsonl"]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "simplecache::memory://x", "zip://a::memory://x", "ssh://host/x"]
)
def test_other_schemes(buyer: Buyer, url: str) -> None:
    told = buyer.world.fails("file-unreadable", "check", url, *QUERY)
    assert "begins with one of" in told.stderr or "No such file" in told.stderr


def test_a_url_that_nobody_answers(buyer: Buyer) -> None:
    url = "http://127.0.0.1:1/m.jsonl?token=secret"
    told = buyer.world.fails("file-unreadable", "check", url, *QUERY)
    assert "secret" not in told.stderr


def test_standard_input_and_output(buyer: Buyer) -> None:
    buyer.revoke()
    told = buyer.check("-", "--out", "-", status=3, typed=manifest(buyer))
    kept = [json.loads(line)["file"] for line in told.stdout_bytes.splitlines()]
    assert kept == ["a.flac", "c.flac", "d.flac"]
    assert "3 clear, 1 not clear" in told.stderr


def test_standard_output_stays_empty_after_an_error(buyer: Buyer) -> None:
    told = buyer.check("-", "--out", "-", status=1, typed=b"{}\n")
    assert told.stdout_bytes == b""
    assert "standard input" in told.stderr


@pytest.mark.parametrize("place", ["/dev/full", "a pipe"])
def test_a_full_standard_output_leaves_no_receipt(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A receipt for rows that nobody got lay beside an error that said that nothing was written."""
    if place == "a pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(place, os.O_WRONLY)
    outputs = {"--rejected": "why", "--receipt": "r.json", "--report": "r.html", "--junit": "r.xml"}
    named = [part for one in outputs.items() for part in one]
    given = ["check", "m.jsonl", *QUERY, "--out", "-", *named]
    raw = os.fdopen(writer, "wb", buffering=0)
    full = TextIOWrapper(BufferedWriter(raw), write_through=True)
    monkeypatch.setattr("sys.stdout", full)
    with pytest.raises(click.ClickException) as caught:
        cli.main(given, standalone_mode=False)
    monkeypatch.undo()
    with suppress(OSError):
        full.detach()
    raw.close()
    assert getattr(caught.value, "code", "") == "output-failed"
    assert "removed" in str(caught.value)
    assert not {*outputs.values()} & buyer.world.left()


def test_a_manifest_of_several_places(buyer: Buyer) -> None:
    files = fsspec.filesystem("memory")
    files.pipe("/one/n.jsonl", manifest(buyer))
    record = buyer.gate().check([Path("m.jsonl"), "memory://one/n.jsonl"])
    assert record.rows == 8
    with pytest.raises(FileUnreadable):
        buyer.gate().check("memory://one/lost.jsonl")


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """An object store on this machine, as s3fs reads it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.get_host_and_port()[1]}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        client.create_bucket(Bucket="data")
        yield client
    server.stop()


def test_an_object_store(buyer: Buyer, bucket: Any) -> None:
    buyer.revoke()
    for folder in ("a", "b"):
        bucket.put_object(Bucket="data", Key=f"shards/{folder}/0.jsonl", Body=manifest(buyer))
    told = json.loads(buyer.check("s3://data/shards", "--out", "kept", "--json", status=3).stdout)
    assert (told["rows"], told["clear"]) == (8, 6)
    assert sorted(str(one) for one in Path("kept").glob("*/*")) == ["kept/a/0.jsonl", "kept/b/0.jsonl"]
    one = "s3://data/shards/a/0.jsonl"
    assert json.loads(buyer.check(one, "--json", status=3).stdout)["rows"] == 4
    buyer.world.fails("file-unreadable", "check", "s3://data/lost.jsonl", *QUERY)


@pytest.mark.parametrize("url", ["s3://data/one/m.jsonl", "s3://data/one"])
def test_an_object_that_is_replaced_while_it_is_copied(
    buyer: Buyer, bucket: Any, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """By other bytes of the same length, which only their tag shows; what was listed is old news."""
    first = manifest(buyer)
    bucket.put_object(Bucket="data", Key="one/m.jsonl", Body=first)
    copy = _Copy._copy

    def replaced(self: _Copy, file: Any, place: Path) -> None:
        copy(self, file, place)
        other = first.replace(b"a.flac", b"z.flac")
        bucket.put_object(Bucket="data", Key="one/m.jsonl", Body=other)

    monkeypatch.setattr(_Copy, "_copy", replaced)
    buyer.world.fails("manifest-changed", "check", url, *QUERY)


@pytest.mark.parametrize("is_put_back", [False, True])
def test_an_object_that_is_another_for_a_moment(
    buyer: Buyer, bucket: Any, monkeypatch: pytest.MonkeyPatch, *, is_put_back: bool
) -> None:
    """Before it is opened, and it may be as before once it is copied: no other version is judged."""
    first = manifest(buyer)
    other = first.replace(b"a.flac", b"z.flac")
    key = {"Bucket": "data", "Key": "moment/m.jsonl"}
    bucket.put_object(**key, Body=first)
    copy, fetch = _Copy._copy, _Copy._fetch

    def opening(self: _Copy, files: Any, *given: Any, **named: Any) -> None:
        opened = files.open

        def replaced(*some: Any, **more: Any) -> Any:
            bucket.put_object(**key, Body=other)
            return opened(*some, **more)

        with monkeypatch.context() as patch:
            patch.setattr(files, "open", replaced)
            fetch(self, files, *given, **named)

    def copied(self: _Copy, file: Any, place: Path) -> None:
        copy(self, file, place)
        if is_put_back:
            bucket.put_object(**key, Body=first)

    monkeypatch.setattr(_Copy, "_fetch", opening)
    monkeypatch.setattr(_Copy, "_copy", copied)
    buyer.world.fails("manifest-changed", "check", "s3://data/moment/m.jsonl", *QUERY)


def test_an_object_that_is_another_while_it_is_read(
    buyer: Buyer, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is asked for one tag only, so no two versions are joined."""
    first, key = manifest(buyer), {"Bucket": "data", "Key": "read/m.jsonl"}
    bucket.put_object(**key, Body=first)
    copy = _Copy._copy

    def replaced(self: _Copy, file: Any, place: Path) -> None:
        bucket.put_object(**key, Body=first.replace(b"a.flac", b"z.flac"))
        copy(self, file, place)

    monkeypatch.setattr(_Copy, "_copy", replaced)
    buyer.world.fails("manifest-changed", "check", "s3://data/read/m.jsonl", *QUERY)


HUB = """
import sys
from sayso.gate.staging import staged
with staged(sys.argv[1]) as found:
    for one in found.paths:
        files = sorted(one.rglob("*.jsonl")) if one.is_dir() else [one]
        sys.stdout.buffer.write(b"".join([file.read_bytes() for file in files]))
"""
OLD, NEW = "b" * 40, "c" * 40


@pytest.mark.parametrize("name", ["data", "data/m.jsonl", "data@main/m.jsonl", "data/*.jsonl"])
def test_a_hub_of_datasets(tmp_path: Path, name: str) -> None:
    """Of another process, because the library reads HF_ENDPOINT once.

    Its main branch moves once somebody asked for its commit: all is read of the one before.
    """
    bodies = {OLD: b'{"license": "0x0"}\n', NEW: b'{"license": "0x1"}\n'}
    body = bodies[OLD]
    entry = {"type": "file", "oid": "a" * 40, "size": len(body), "path": "m.jsonl"}
    of_main: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            named = next((one for one in bodies if one in self.path), None)
            commit = named or (NEW if sum("/main" in one for one in of_main) > 1 else OLD)
            if named is None:
                of_main.append(self.path)
            is_file = "/resolve/" in self.path
            data = {"id": "somebody/data", "sha": commit, "siblings": [], "private": False}
            answer = [entry] if "/tree/" in self.path else data
            content = bodies[commit] if is_file else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header(
                "Content-Type", "application/octet-stream" if is_file else "application/json"
            )
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        environment = os.environ | {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path)}
        try:
            done = subprocess.run(
                [sys.executable, "-c", HUB, f"hf://datasets/somebody/{name}"],
                check=True,
                capture_output=True,
                env=environment,
            )
        finally:
            server.shutdown()
            thread.join()
    assert done.stdout == body, of_main
    assert not [one for one in of_main if "/tree/" in one or "/resolve/" in one]
