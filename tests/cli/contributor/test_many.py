"""A person with more files or secrets than a page: what a plan to revoke asks and computes."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from sayso.commands.contributor import salts
from sayso.contributor.planning import FileItems, Wish, make_plan
from sayso.contributor.saved_messages import SavedLicenses
from sayso.files import HashedFile, salt_files
from sayso.gate.formats.json_rows import salt_lines
from sayso_protocol.primitives import salted_item
from sayso_protocol.verdicts.known_bits import HeldBits
from support.protocol_strategies import ADA, a_consent, item_hashes, signed

ITEMS = item_hashes(2)


async def test_the_words_of_many_scopes_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan for thousands of files computed all their words again for each license."""
    held = [signed(a_consent(ITEMS, expires_at=1_760_000_000 + day), ITEMS) for day in range(5)]
    adds, add = list[bytes](), HeldBits.add

    def counted(known: HeldBits, address: bytes, masks: Any) -> None:
        adds.append(address)
        add(known, address, masks)

    monkeypatch.setattr(HeldBits, "add", counted)
    plan = await make_plan(Wish(items=item_hashes(40)), ADA, SavedLicenses(held))
    assert [count for _, count in plan.hits or ()] == [len(ITEMS) * 2] * 5
    assert len(adds) == len(plan.revocations) == 3


def test_secrets_of_many_files_are_found_by_name_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each secret was tried with each file: a hundred million times for ten thousand files."""
    plain = [HashedFile(Path("old") / f"{one.hex()}.wav", one) for one in item_hashes(50)]
    files = list(salt_files(plain, secrets.token_bytes))
    path = tmp_path / "m.salts.jsonl"
    path.write_bytes(b"".join(salt_lines((f"d/{one.path.name}", one.item, one.salt) for one in files)))
    calls = list[bytes]()

    def counted(salt: bytes, item: bytes) -> bytes:
        calls.append(salt)
        return salted_item(salt, item)

    monkeypatch.setattr(salts, "salted_item", counted)
    found = salts.licensed_items(plain, [path])
    assert found == tuple(FileItems(a.item, (b.item,)) for a, b in zip(plain, files, strict=True))
    assert len(calls) == len(plain)
    moved = [HashedFile(Path("renamed.wav"), plain[30].item)]
    assert salts.licensed_items(moved, [path]) == (FileItems(plain[30].item, (files[30].item,)),)
