"""The help, the reference made from it, and what the command costs to start."""

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import sayso
from sayso.main import SECTIONS, cli
from sayso.reference import errors_page, pages
from sayso_protocol.errors import MessageError, SaysoError

ROOT = Path(__file__).resolve().parents[2]


def commands(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that does something."""
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from commands(child, (*path, name))


OURS = [path for path in commands() if path[0] != "demo"]


@pytest.mark.parametrize("path", OURS, ids=" ".join)
def test_every_command_has_an_example_of_itself(path: tuple[str, ...]) -> None:
    text = CliRunner().invoke(cli, [*path, "--help"]).stdout
    assert f"  sayso {' '.join(path)}" in text.split("Examples:")[1]


def test_the_help_lists_every_command_under_its_heading() -> None:
    text = CliRunner().invoke(cli, ["--help"]).stdout
    for heading, entries in SECTIONS.items():
        section = text.split(f"{heading}:\n")[1].split("\n\n")[0]
        assert [line.split()[0] for line in section.splitlines()] == list(entries)


def test_unknown_commands_are_usage_errors() -> None:
    assert CliRunner().invoke(cli, ["nonsense"]).exit_code == 2


@pytest.mark.parametrize("name", ["cli.md", "errors.md"])
def test_the_reference_is_what_the_program_says(name: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == pages()[name], "run `python -m sayso.reference`"


def test_a_code_has_one_meaning_and_it_is_documented() -> None:
    codes = re.findall(
        r"^\| `([a-z-]+)` \| (.+?) \|(?: (?:reject|ignore) \|)?$", errors_page(), re.MULTILINE
    )
    assert len({code for code, _ in codes}) == len(codes)
    for error in set(all_errors(SaysoError)) - {MessageError}:
        assert error.code in dict(codes), f"{error} is in no module called errors"
        assert error.__doc__
    assert "bad-signature" in dict(codes)


def all_errors(root: type[SaysoError]) -> Iterator[type[SaysoError]]:
    """Every subclass that the imports so far have made."""
    for error in root.__subclasses__():
        if error.__module__.startswith("sayso"):
            yield error
        yield from all_errors(error)


def test_the_library_exports_what_it_says() -> None:
    for name in sayso.__all__:
        assert getattr(sayso, name).__module__.startswith("sayso.")
    assert set(sayso._PLACES) == set(sayso.__all__)
    with pytest.raises(AttributeError):
        sayso.nonsense  # noqa: B018


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter."""
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_help_imports_nothing_heavy() -> None:
    run = python("""
        import sys
        from sayso.main import cli
        cli(["--help"], standalone_mode=False)
        heavy = {"aiohttp", "eth_account", "web3", "libp2p", "rich", "nacl"} & set(sys.modules)
        sys.exit(", ".join(sorted(heavy)) or 0)
    """)
    assert run.returncode == 0, run.stderr


BARE = """
    import sys

    class Bare:
        \"\"\"Finds nothing that the extras install.\"\"\"

        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {"web3", "libp2p", "alysis", "eth", "trio", "multiaddr"}:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Bare())
    from sayso.main import cli
"""
RUN = """
    cli(sys.argv[1:])
"""
EXPLAIN = """
    import json
    for path in json.loads(sys.argv[1]):
        cli([*path, "--help"], standalone_mode=False)
"""


def test_the_base_install_can_explain_every_command() -> None:
    run = python(BARE + EXPLAIN, json.dumps(OURS))
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("Usage: ") == len(OURS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("contract", "verify", "--rpc", "http://127.0.0.1:1", "--network", "NETWORK"),
        ("node", "run", "."),
        ("devchain", "--port", "0"),
        ("demo",),
    ],
)
def test_a_missing_extra_is_named(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    network = tmp_path / "network.toml"
    registry = "0x" + "11" * 20
    network.write_text(f'chain_id = 1\nregistry = "{registry}"\ndeploy_block = 0\nfinality = 0\n')
    run = python(BARE + RUN, *(str(network) if one == "NETWORK" else one for one in arguments))
    assert run.returncode == 1
    assert run.stderr.startswith("error [extra-missing]: "), run.stderr
    assert "pip install '.[" in run.stderr


def test_a_fault_of_ours_is_not_called_a_missing_extra() -> None:
    from sayso.extras import extra

    with pytest.raises(ModuleNotFoundError), extra("node"):
        import_module("sayso.no_such_module")
