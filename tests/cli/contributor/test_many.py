"""A person with more licenses, files or secrets than a page: what a plan to revoke asks and computes."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from sayso.commands.contributor import salts
from sayso.contributor.planning import FileItems, Wish, make_plan
from sayso.contributor.saved_messages import SavedLicenses
from sayso.files import HashedFile, salt_files
from sayso.gate.formats.json_rows import salt_lines
from sayso.node_client.client import NodeClient
from sayso_node.api.routes import licenses
from sayso_protocol.primitives import hex_text, salted_item
from sayso_protocol.verdicts.known_bits import HeldBits
from support.protocol_strategies import ADA, BEN, CLEO, a_consent, item_hashes, signed
from support.running_node import running_node

ITEMS = item_hashes(2)


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("everything", 4),
        ("via b.ai", 1),
        ("via no.ai", 0),
        (f"to {hex_text(CLEO)}", 2),
        (f"statement {hex_text(ITEMS[0])}", 0),
    ],
)
async def test_a_scope_asks_only_for_the_licenses_that_it_can_hit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentence: str, asked: int
) -> None:
    """A person with thousands of licenses asked for each of them, also to withdraw a statement."""
    monkeypatch.setattr(licenses, "CONSENTS", 2)
    terms = [("kled.ai", BEN), ("kled.ai", CLEO), ("b.ai", CLEO), ("c.ai", BEN)]
    held = [signed(a_consent(ITEMS, via=via, grantee=to), ITEMS) for via, to in terms]
    async with running_node(tmp_path) as node:
        await node.submit(*held)
        async with NodeClient(node.url, node.node._config.network_file) as client:
            calls, get = list[bytes](), client.license

            async def license_of(name: bytes) -> Any:
                calls.append(name)
                return await get(name)

            monkeypatch.setattr(client, "license", license_of)
            plan = await make_plan(Wish(sentence), ADA, client)
    assert len(calls) == len(plan.hits or ()) == asked
    assert calls == [one.digest for one in held if one.digest in calls]  # oldest first


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
