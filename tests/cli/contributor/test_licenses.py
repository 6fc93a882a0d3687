"""`sayso licenses`: what a node holds, once every signature and proof was checked."""

import json
from dataclasses import replace

import pytest
from eth_account import Account

from cli.conftest import World
from sayso.contributor.licensing import sign_message
from sayso_protocol.primitives import address_text


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
    world.grant("a")
    world.node.twist = lambda where, answer: answer | change if where == route else answer
    world.fails(code, "licenses", "--key", world.key)


def test_a_license_nobody_signed(world: World) -> None:
    world.grant("a")
    held = world.node.memory.envelopes
    (license_hash,) = held
    other = sign_message(Account.create(), held[license_hash].message, world.node.network)
    held[license_hash] = replace(held[license_hash], signature=other.signature)
    world.fails("bad-signature", "licenses", "--key", world.key)


def test_a_license_under_another_hash(world: World) -> None:
    world.grant("a")
    world.node.twist = lambda where, answer: (
        {"licenses": ["0x" + "55" * 32], "next": None} if where == "licenses" else answer
    )
    world.fails("not-held", "licenses", "--key", world.key)
    other = world.node.memory.envelopes
    other[b"\x55" * 32] = next(iter(other.values()))
    world.fails("bad-answer", "licenses", "--key", world.key)
