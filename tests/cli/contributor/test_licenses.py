"""`sayso licenses`: what a node holds, once every signature and proof was checked."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from cli.conftest import World
from sayso.contributor.licensing import sign_message
from sayso_protocol.messages.envelope import encode
from sayso_protocol.primitives import address_from_text, address_text, hex_text


def test_licenses(world: World) -> None:
    license_hash = world.grant("a", "b")[0]["license"]
    world.run("revoke", "--file", "a", "--key", world.key, "--yes")
    result = world.run("licenses", "--key", world.key)
    assert f"license {license_hash}\n" in result.stdout
    assert "by ANYONE, through kled.ai; to be rechecked every 168 hours;" in result.stdout
    assert "1 of 2 permissions revoked; not anchored yet" in result.stdout
    (one,) = json.loads(world.run("licenses", address_text(world.address), "--json").stdout)
    assert (one["license"], one["revoked_permissions"]) == (license_hash, 1)
    assert one["purposes"] == ["train-ai"]
    assert (one["recheck_hours"], one["removal_days"]) == (168, 30)
    assert json.loads(world.run("licenses", "0x" + "99" * 20, "--json").stdout) == []
    world.run("licenses", status=2)
    world.run("licenses", "--key", world.key, "0x" + "99" * 20, status=2)


@pytest.mark.parametrize(
    ("code", "route", "change"),
    [
        ("bad-answer", "licenses", {"next": "page 2"}),
        ("bad-answer", "licenses", {"licenses": ["0x12"]}),
        ("bad-answer", "licenses", {"licenses": [7]}),
        ("bad-answer", "licenses", {"licenses": [{"license": "0x12"}]}),
        ("bad-answer", "license", {"envelope": "?"}),
        ("malformed", "license", {"envelope": "AAAA"}),
        ("bad-answer", "license", {"revoked_permissions": -1}),
        ("bad-answer", "license", {"revoked_permissions": 3}),
        ("bad-answer", "license", {"revoked_permissions": True}),
        ("bad-answer", "license", {"anchor": {}}),
        (
            "bad-proof",
            "license",
            {
                "anchor": {
                    "root": "0x" + "00" * 32,
                    "block_number": 1,
                    "submitter": "0x" + "00" * 20,
                    "proof": {
                        "sponsor": "00" * 32,
                        "count": 1,
                        "index": 0,
                        "path": [],
                        "tree": "0x" + "00" * 32,
                    },
                }
            },
        ),
    ],
)
def test_a_license_that_is_not_proved(
    world: World, code: str, route: str, change: dict[str, object]
) -> None:
    name = world.grant("a")[0]["license"]
    world.node.twist = lambda where, answer: answer | change if where == route else answer
    if route == "license":
        world.fails(code, "status", name)
        world.node.twist = lambda where, answer: (
            _changed(answer, change) if where == "licenses" else answer
        )
    if "anchor" not in change:
        world.fails(code, "licenses", "--key", world.key)


def _changed(page: dict[str, Any], change: Mapping[str, object]) -> dict[str, object]:
    return page | {"licenses": [one | change for one in page["licenses"]]}


def test_a_license_nobody_signed(world: World) -> None:
    world.grant("a")
    held = world.node.memory.envelopes
    (license_hash,) = held
    other = sign_message(Account.create(), held[license_hash].message, world.node.network)
    held[license_hash] = replace(held[license_hash], signature=other.signature)
    world.fails("bad-signature", "licenses", "--key", world.key)


def test_a_license_under_another_hash(world: World) -> None:
    world.grant("a")
    other = {"license": "0x" + "55" * 32}
    world.node.twist = lambda where, answer: _changed(answer, other) if where == "licenses" else answer
    world.fails("bad-answer", "licenses", "--key", world.key)


def test_a_license_of_somebody_else(world: World) -> None:
    """A plan would count, and a person see, what another wallet licensed."""
    world.grant("a")
    held, mine = world.node.memory.envelopes, address_text(world.address)
    (first,) = held.values()
    her = Account.create()
    who = address_from_text(her.address)
    hers = replace(first.message, contributor=who, parties=(who,))  # type: ignore[type-var]
    one = sign_message(her, hers, world.node.network, first.items)
    text = base64.b64encode(encode(one)).decode()
    change = {"license": hex_text(one.digest), "envelope": text}
    world.node.twist = lambda where, answer: _changed(answer, change) if where == "licenses" else answer
    world.fails("bad-answer", "licenses", mine)
