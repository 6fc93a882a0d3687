"""The four statements: their rules (3.11 to 3.15) and notices (4.6.3 to 4.6.6)."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.errors import InvalidPurpose, InvalidStatement, Malformed
from sayso_protocol.messages.statements.dispute import (
    Dispute,
    check_disputed,
    contributor_hash,
    read_disputes,
)
from sayso_protocol.messages.statements.removal import Removal, read_removals
from sayso_protocol.messages.statements.rules import check_hashes
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense, read_sublicenses
from sayso_protocol.messages.statements.use import Use, read_uses

WHO, LAB = b"\x01" * 20, b"\x02" * 20
HASHES = tuple(bytes([byte]) * 32 for byte in (1, 2, 3))
ROOT = content_root(HASHES)
ZERO = bytes(32)
T, END = 1_700_000_000, 1_800_000_000

SUBLICENSE = Sublicense(WHO, ROOT, 3, NO_PARENT, LAB, ("evaluate", "train-ai"), ZERO, "", T, END)
USE = Use(WHO, ROOT, 3, "train-ai", "run-7", ZERO, T)
REMOVAL = Removal(WHO, ROOT, 3, 19, ZERO)
DISPUTE = Dispute(WHO, ROOT, 3, "files", "voice", T, T + 31_622_400)
ALL = (SUBLICENSE, USE, REMOVAL, DISPUTE)
READERS: dict[type, Callable[[Any], list[Any]]] = {
    Sublicense: read_sublicenses,
    Use: read_uses,
    Removal: read_removals,
    Dispute: read_disputes,
}


def _columns(statement: Any) -> list[tuple[Any, ...]]:
    names = ["notice", *(one.name for one in fields(statement))]
    return [(getattr(statement, name),) for name in names]


def test_notices_say_what_is_signed() -> None:
    assert SUBLICENSE.notice == (
        "I pass on 3 licenses for evaluate, train-ai until 2027-01-15 08:00 UTC to"
        " 0x0202020202020202020202020202020202020202, from 2023-11-14 22:13 UTC. I can withdraw this."
    )
    assert USE.notice == (
        "I used data of 3 licenses or sublicenses for train-ai at 2023-11-14 22:13 UTC, in run run-7."
    )
    assert replace(USE, run="", count=1).notice == (
        "I used data of 1 license or sublicense for train-ai at 2023-11-14 22:13 UTC."
    )
    assert REMOVAL.notice == (
        "I removed from all I hold what is revoked of 3 licenses or sublicenses, as of block 19."
    )
    assert DISPUTE.notice == (
        "I dispute 3 files that show me (voice) until 2024-11-14 22:13 UTC,"
        " from 2023-11-14 22:13 UTC. I can withdraw this."
    )
    assert replace(DISPUTE, subject="contributors", count=1).notice.startswith(
        "I dispute 1 contributor who licenses what is not theirs (voice) until "
    )


@pytest.mark.parametrize("statement", ALL, ids=lambda one: type(one).__name__)
def test_columns_give_the_same_statement_and_only_with_its_notice(statement: Any) -> None:
    read, columns = READERS[type(statement)], _columns(statement)
    assert read(columns) == [statement]
    with pytest.raises(InvalidStatement):
        read([("I give it to everybody.",), *columns[1:]])


@pytest.mark.parametrize("statement", ALL, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    "change",
    [
        {"signer": bytes(20)},
        {"signer": b"\1" * 19},
        {"content": b"\1" * 31},
        {"count": 0},
        {"count": 1_025},
    ],
    ids=str,
)
def test_common_fields(statement: Any, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidStatement):
        replace(statement, **change)


@pytest.mark.parametrize(
    ("statement", "wrong", "right"),
    [
        (SUBLICENSE, {"grantee": bytes(20)}, {"grantee": b"\3" * 20}),
        (SUBLICENSE, {"grantee": WHO}, {"grantee": b"\3" * 20}),
        (SUBLICENSE, {"parent": b"\1" * 33}, {"parent": b"\1" * 32}),
        (SUBLICENSE, {"purposes": ()}, {"purposes": ("train-ai",)}),
        (SUBLICENSE, {"purposes": ("train-ai", "evaluate")}, {"purposes": ("a", "b")}),
        (
            SUBLICENSE,
            {"purposes": tuple(f"p{n:02}" for n in range(17))},
            {"purposes": tuple(f"p{n:02}" for n in range(16))},
        ),
        (SUBLICENSE, {"terms": b""}, {"terms": b"\1" * 32}),
        (SUBLICENSE, {"terms_uri": "https://a/?b"}, {"terms_uri": "https://a/b"}),
        (SUBLICENSE, {"expires_at": T}, {"expires_at": T + 1}),
        (SUBLICENSE, {"expires_at": T + 315_619_201}, {"expires_at": T + 315_619_200}),
        (USE, {"run": "a" * 65}, {"run": "a" * 64}),
        (USE, {"run": "run 7"}, {"run": "run_7.b-C"}),
        (USE, {"run": "run7\n"}, {"run": ""}),
        (USE, {"record": b"\1"}, {"record": b"\1" * 32}),
        (USE, {"used_at": 253_402_300_800}, {"used_at": 253_402_300_799}),
        (REMOVAL, {"as_of_block": 2**53}, {"as_of_block": 2**53 - 1}),
        (REMOVAL, {"as_of_block": -1}, {"as_of_block": 0}),
        (REMOVAL, {"record": b"\1"}, {"record": b"\1" * 32}),
        (DISPUTE, {"subject": "file"}, {"subject": "contributors"}),
        (DISPUTE, {"code": "Voice"}, {"code": "voice-2"}),
        (DISPUTE, {"code": ""}, {"code": "v"}),
        (DISPUTE, {"expires_at": T + 31_622_401}, {"expires_at": T + 31_622_400}),
    ],
    ids=lambda one: str(one)[:60],
)
def test_each_rule_and_its_accepted_neighbour(
    statement: Any, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    replace(statement, **right)
    with pytest.raises(InvalidStatement):
        replace(statement, **wrong)


def test_purposes_have_their_own_code() -> None:
    for statement, change in ((SUBLICENSE, {"purposes": ("Train",)}), (USE, {"purpose": "Train"})):
        with pytest.raises(InvalidPurpose):
            replace(statement, **change)


@pytest.mark.parametrize(
    "hashes",
    [
        HASHES[:2],
        (HASHES[1], HASHES[0], HASHES[2]),
        (HASHES[0], HASHES[0], HASHES[2]),
        (*HASHES[:2], b"\3" * 31),
        (*HASHES[:2], b"\4" * 32),
    ],
    ids=("fewer", "disordered", "twice", "short", "another root"),
)
def test_hashes_are_those_that_are_signed(hashes: tuple[bytes, ...]) -> None:
    check_hashes(_columns(USE), (HASHES,))
    with pytest.raises(InvalidStatement):
        check_hashes(_columns(USE), (hashes,))


def test_hashes_are_bytes() -> None:
    with pytest.raises(Malformed):
        check_hashes(_columns(USE), ((*HASHES[:2], "3" * 32),))


@pytest.mark.parametrize("wrong", [bytes(32), b"\1" * 32, bytes(11) + b"\1" * 21], ids=bytes.hex)
def test_a_disputed_contributor_is_an_address(wrong: bytes) -> None:
    right = contributor_hash(LAB)
    dispute = replace(DISPUTE, subject="contributors", count=1, content=content_root([right]))
    check_disputed(_columns(dispute), ((right,),))
    with pytest.raises(InvalidStatement):
        check_disputed(_columns(replace(dispute, content=content_root([wrong]))), ((wrong,),))
    check_disputed(
        _columns(replace(dispute, subject="files", content=content_root([wrong]))), ((wrong,),)
    )
