"""Mistakes that people make at the command line: the answer says what is wrong and what to write."""

import errno
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest
from aiohttp import ClientConnectorError
from click.testing import CliRunner

from cli.conftest import World
from sayso.commands.failure import as_failures
from sayso.main import cli
from sayso_protocol.redaction import reason_of

BUYER = "0x52908400098527886E0F7030069857D2E4169EE7"
GRANT = ("grant", "voice", "--key", "ada.json", "--grantee", BUYER, "--manifest", "m.jsonl")
CHECK = ("check", "m.jsonl", "--grantee", BUYER, "--purpose", "train-ai")
USAGE = {  # words, and what the answer names
    ("gran", "voice"): "Did you mean 'grant'",
    ("network", "shwo"): "Did you mean 'show'",
    (*GRANT, "--purpose", "train-ai", "--expires", "2020-01-01"): "'2020-01-01' is in the past",
    (*GRANT, "--purpose", "train-ai", "--expires", "30.06.2027"): "a date such as 2027-06-30",
    (*GRANT, "--purpose", "train-ai", "--expires", "1y", "--recheck", "5"): "hours such as 30h",
    (*GRANT, "--purpose", "train-ai", "--expires", "1y", "--removal", "30"): "days such as 30d",
    (*CHECK, "--run-until", "2020-01-01"): "'2020-01-01' is in the past",
    ("withdraw", "--key", "ada.json"): "name the statements",
    ("network", "add", "--from-node", "nowhere"): "neither a node's folder nor a URL",
}
FAILURES = {  # words, the code, and what the answer names
    ("key", "show", "nothere.json"): ("bad-key-file", "'nothere.json': No such file or directory"),
    ("key", "show", "voice"): ("bad-key-file", "'voice': Is a directory"),
    ("key", "show", "m.jsonl"): ("bad-key-file", "'m.jsonl' is not a key file"),
    ("show", "m.jsonl"): ("malformed", "not one JSON value"),
    ("show", "voice"): ("file-unreadable", "'voice': Is a directory"),
    ("show", "voice/one.wav"): ("malformed", "this is not a message"),
    ("submit", "m.jsonl"): ("malformed", "'m.jsonl' is not a file of signed messages"),
    ("network", "show", "--network", "m.jsonl"): ("invalid-network-file", "'m.jsonl': this is not"),
    ("revoke", "everyting", "--key", "ada.json", "--yes"): ("invalid-scope", "a scope is everything"),
    ("revoke", "0x" + 32 * "ab", "--key", "ada.json", "--yes"): ("invalid-scope", "--license HASH"),
    ("revoke", "--file", "~/one.wav", "--key", "ada.json"): ("file-unreadable", "write $HOME instead"),
    (*GRANT, "--purpose", "Train-AI", "--expires", "1y"): ("invalid-purpose", "such as train-ai"),
    (*GRANT, "--purpose", "train-ai,resale", "--expires", "1y"): ("invalid-purpose", "one lower-case"),
    (*GRANT, "--purpose", "train-ai", "--expires", "20y"): ("invalid-consent", "within ten years"),
    ("licenses", BUYER, "--node", "127.0.0.1:8600"): ("node-unreachable", "begins with http://"),
    ("licenses", BUYER, "--node", "http://127.0.0.1:1"): ("node-unreachable", "connection was refused"),
    ("contract", "verify", "--rpc", "http://127.0.0.1:1"): ("rpc-failed", "connection was refused"),
    ("node", "run", "nothere"): ("invalid-node-config", "nothere/node.toml: No such file"),
    ("node", "init", "n", "--name", "N", "--rpc", "127.0.0.1:8545"): (
        "invalid-node-config",
        "rpc: the value is not the URL of an endpoint, which begins with http://",
    ),
    ("node", "init", "n", "--name", "N", "--rpc", "http://127.0.0.1:1", "--network", "nothere.toml"): (
        "invalid-network-file",
        "'nothere.toml': No such file",
    ),
}
RIDDLES = re.compile(r"\[Errno|Traceback|ssl:default|ClientConnector|:///")


@pytest.fixture
def world(world: World) -> World:
    """Ada's folder, with a file to license and a manifest."""
    Path("voice").mkdir()
    Path("voice/one.wav").write_bytes(b"take one\n")
    Path("m.jsonl").write_text('{"license": "0x00", "item": "0x00"}\n' * 2)
    return world


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_a_wrong_word_is_answered_with_the_right_one(world: World, words: tuple[str, ...]) -> None:
    assert USAGE[words] in world.run(*words, status=2).stderr


@pytest.mark.parametrize("words", FAILURES, ids=" ".join)
def test_a_mistake_is_named_in_words(world: World, words: tuple[str, ...]) -> None:
    if words[0] == "grant":
        Path("m.jsonl").unlink()  # a manifest is never replaced
    code, named = FAILURES[words]
    shown = world.fails(code, *words).stderr
    assert named in " ".join(shown.split())
    assert not RIDDLES.search(shown.replace(words[-1], ""))


def test_without_a_terminal_a_question_says_which_option_answers_it(world: World) -> None:
    """Nobody can answer: the command ends, signs nothing, and names `--yes` or the password."""
    asked = ("revoke", "everything", "--key", "ada.json", "--save", "stop.sayso")
    unanswered = world.run(*asked, status=1, typed="").stderr
    assert "error [no-terminal]: " in unanswered
    assert "add --yes" in unanswered
    assert not Path("stop.sayso").exists()
    assert "Aborted!" in world.run(*asked, status=1, typed="n\n").stderr


def run_alone(folder: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run `sayso` in a session of its own, which has no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "sayso", *words],
        input=stdin,
        cwd=folder,
        capture_output=True,
        check=False,
        start_new_session=True,
    )


def test_without_a_terminal_a_password_is_a_line_of_standard_input(tmp_path: Path) -> None:
    nothing = run_alone(tmp_path, "key", "new", "a.json")
    assert (nothing.returncode, nothing.stdout) == (1, b"")
    assert nothing.stderr.startswith(b"error [no-terminal]: ")
    assert b"--password-file" in nothing.stderr
    assert not (tmp_path / "a.json").exists()
    piped = run_alone(tmp_path, "key", "new", "a.json", stdin=b"a long password\n")
    assert (piped.returncode, piped.stderr) == (0, b"")
    assert (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("show - <&-", "malformed"),
        ("check m.jsonl --grantee anyone --purpose train-ai --out - >&-", "output-failed"),
        ("check - --grantee anyone --purpose train-ai --out kept.jsonl <&-", "invalid-network-file"),
        ("key new a.json --password-file - <&-", "file-unreadable"),
        ("key new a.json <&-", "no-terminal"),
    ],
)
def test_a_closed_stream_is_an_empty_one(tmp_path: Path, line: str, code: str) -> None:
    """Some services start programs without standard input; a file must never take its number."""
    words = [sys.executable, "-m", "sayso"]
    shell = ["sh", "-c", f"exec {shlex.join(words)} {line}"]
    ended = subprocess.run(
        shell, cwd=tmp_path, stderr=subprocess.PIPE, check=False, start_new_session=True
    )
    assert ended.stderr.decode().startswith(f"error [{code}]: ")
    assert ended.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_below_standard_output_is_an_error_in_one_line() -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails, too
    with pytest.raises(click.ClickException) as failed, as_failures():
        click.echo("one line", file=full)
    with suppress(OSError):
        full.close()
    assert failed.value.message == "cannot write the output: No space left on device"


def test_groups_list_whole_sentences() -> None:
    """Click cuts the help of a command to the width of a terminal; a group shows all of it."""
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        if isinstance(command, click.Group):
            shown = CliRunner().invoke(cli, [name, "--help"], terminal_width=80).stdout
            assert "..." not in shown.split("Commands:")[1], shown


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a"), "No such file or directory"),
        (TimeoutError(), "no answer in time"),
        (ValueError(), "ValueError"),
        (ValueError("why"), "why"),
        (OSError(errno.ECONNREFUSED, "Connect call failed ('::1', 1)"), "the connection was refused"),
        (
            OSError(errno.EADDRINUSE, "error while attempting to bind on address ('::1', 1): in use"),
            "('::1', 1): in use",
        ),
    ],
)
def test_the_words_of_an_error_have_no_number_and_no_path(error: Exception, words: str) -> None:
    assert reason_of(error) == words


def test_the_words_of_a_failed_connection_are_the_systems() -> None:
    class Key:
        ssl, host, port, is_ssl = True, "north.example", 443, True

    failed = ClientConnectorError(Key(), OSError(errno.ENETUNREACH, "Connect call failed"))  # type: ignore[arg-type]
    assert reason_of(failed) == "the network is unreachable"
