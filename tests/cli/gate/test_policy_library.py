"""A gate from a policy asks what the command asks under the same policy, and refuses the same."""

from typing import Any

import pytest

from cli.gate.conftest import Buyer
from sayso.errors import BadPolicy
from sayso.gate.formats.base import Dialect
from sayso.gate.gate import Gate
from sayso.gate.policy import Policy
from sayso_protocol.primitives import address_text

A, B = (address_text(bytes([number]) * 20) for number in (1, 2))
WHO = 'grantee = "anyone"\npurposes = ["train-ai"]\n'
TWO = 'grantee = "anyone"\npurposes = ["evaluate", "train-ai"]\n'
READING = (
    'bad_rows = "reject"\ndelimiter = "tab"\nencoding = "latin-1"\nquoting = "none"\nlabels = ["txt"]\n'
)
Command = tuple[str, ...]
Library = dict[str, Any]

# A policy, and the same options as the command and as the library take them.
ASKED: dict[str, tuple[str, Command, Library]] = {
    "nothing more": (WHO, (), {}),
    "an age": (WHO + 'max_age = "10m"\n', (), {}),
    "a lower age": (WHO + 'max_age = "10m"\n', ("--max-age", "5m"), {"max_age_s": 300}),
    "disputes": (WHO + f'heed = ["{A}"]\n', (), {}),
    "more disputes": (WHO + f'heed = ["{A}"]\n', ("--heed", B, "--heed", A), {"heed": [B, A]}),
    "nobody's disputes": (WHO + "heed = []\n", (), {}),
    "one of two purposes": (TWO, ("--purpose", "train-ai"), {"purpose": "train-ai"}),
    "another grantee where it is open": (
        'purposes = ["train-ai"]\n',
        ("--grantee", B),
        {"grantee": B},
    ),
    "a reading": (WHO + READING, (), {}),
    "the reading again": (
        WHO + 'quoting = "double"\n',
        ("--quoting", "double"),
        {"dialect": Dialect(quoting="double")},
    ),
}
REFUSED: dict[str, tuple[str, Command, Library]] = {
    "another grantee": (WHO, ("--grantee", B), {"grantee": B}),
    "another purpose": (WHO, ("--purpose", "resale"), {"purpose": "resale"}),
    "a purpose of neither": (TWO, ("--purpose", "resale"), {"purpose": "resale"}),
    "an older view": (WHO + 'max_age = "10m"\n', ("--max-age", "11m"), {"max_age_s": 660}),
    "nobody's disputes": (WHO + f'heed = ["{A}"]\n', ("--heed", "none"), {"heed": []}),
    "other disputes": (WHO + f'heed = ["{A}"]\n', ("--heed", B), {"heed": [B]}),
    "other nodes": (
        WHO + 'nodes = ["http://127.0.0.1:1"]\n',
        ("--node", "http://127.0.0.1:2"),
        {"nodes": ["http://127.0.0.1:2"]},
    ),
    "another reading": (
        WHO + READING,
        ("--quoting", "double"),
        {"dialect": Dialect("\t", "latin-1", "double", ("txt",), reject_bad=True)},
    ),
    "a reading that is not refused": (
        WHO + 'bad_rows = "refuse"\n',
        ("--bad-rows", "reject"),
        {"dialect": Dialect(reject_bad=True)},
    ),
}


def write(buyer: Buyer, text: str) -> None:
    buyer.world.write("sayso.toml", f"[check]\n{text}".encode())


@pytest.mark.parametrize("name", ASKED)
def test_both_ask_the_same(buyer: Buyer, name: str) -> None:
    text, command, library = ASKED[name]
    write(buyer, text)
    buyer.csv("m.tsv" if "tab" in text else "m.csv", note="x")
    manifest = "m.tsv" if "tab" in text else "m.csv"
    buyer.world.run("check", manifest, *command, "--run-id", "x")
    with Gate.from_policy(**library, run_id="x") as gate:
        gate.check(manifest)
    mine, theirs = ({**one, "nonce": None} for one in buyer.node.checks)
    assert mine == theirs
    assert gate.columns.dialect.reject_bad == ("reject" in text)


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse_the_same(buyer: Buyer, name: str) -> None:
    text, command, library = REFUSED[name]
    write(buyer, text)
    buyer.world.fails("bad-policy", "check", "m.jsonl", *command)
    with pytest.raises(BadPolicy):
        Gate.from_policy(**library)
    assert buyer.node.checks == []


NO_POLICY = {
    "no span": WHO + 'max_age = "soon"\n',
    "no address": 'grantee = "0x12"\npurposes = ["train-ai"]\n',
    "no quoting": WHO + 'quoting = "some"\n',
    "no delimiter": WHO + 'delimiter = "ab"\n',
    "no fate of rows": WHO + 'bad_rows = "drop"\n',
    "nobody and somebody": WHO + f'heed = ["none", "{A}"]\n',
    "a misspelt field": WHO + 'node = "http://127.0.0.1:1"\n',
}


@pytest.mark.parametrize("name", NO_POLICY)
def test_what_is_no_policy_is_none_for_both(buyer: Buyer, name: str) -> None:
    write(buyer, NO_POLICY[name])
    assert buyer.world.run("check", "m.jsonl", status=_status(name)).stderr
    with pytest.raises(BadPolicy):
        Gate.from_policy()
    assert buyer.node.checks == []


def _status(name: str) -> int:
    """Of a value that is none: a wrong use of the command, but for those with codes of their own."""
    return 1 if name in ("no address", "no delimiter", "a misspelt field") else 2


def test_nodes_of_a_policy_do_not_bind_offline_checks(buyer: Buyer) -> None:
    write(buyer, WHO + 'nodes = ["http://127.0.0.1:1"]\n')
    more = {"offline": [buyer.snapshot()], "bundle": buyer.bundle()}
    with Gate.from_policy(**more) as gate:  # type: ignore[arg-type]
        assert gate.check("m.jsonl").clear == 4
    assert buyer.node.checks == []


def test_what_a_policy_leaves_open_is_named(buyer: Buyer) -> None:
    with pytest.raises(BadPolicy, match="grantee and purpose"):
        Gate.from_policy(Policy())
    with pytest.raises(BadPolicy, match="purpose"):
        Gate.from_policy(Policy(purposes=["a", "b"]), "anyone")
    named = Gate.from_policy(Policy(), "anyone", "train-ai", network=buyer.folder / "network.toml")
    assert named.question.query.purpose == "train-ai"
