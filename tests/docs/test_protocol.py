"""docs/protocol.md and the code name the same things: what is in one only is an error."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sayso_protocol
from sayso_protocol.encoding.eip712 import DOMAIN_FIELDS, type_string
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.signatures import nodes
from sayso_protocol.signatures.contract_wallets import MARK
from sayso_protocol.signatures.wallets import HALF_ORDER
from sayso_protocol.verdicts.verdict import Reason

ROOT = Path(__file__).parents[2]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
WHOLE = " ".join(PROTOCOL.split())
SECTIONS = dict(re.findall(r"^## (\d+)\. .*?\n(.*?)(?=^## )", PROTOCOL, re.MULTILINE | re.DOTALL))
SOURCES = sorted(Path(next(iter(sayso_protocol.__path__))).rglob("*.py"))
# Every number with a name in the protocol's code, and how the document says it.
NUMBERS = {
    "ethereum.blooms.BLOOM_BYTES": None,  # Ethereum's
    "ethereum.chain_proofs.ANCHORS_SLOT": "`keccak256(root . 0)`",
    "ethereum.chain_proofs.BITS_SLOT": "keccak256(address . 1)",
    "ethereum.headers.STATE": "the header's state root (field 3, counted from 0)",
    "ethereum.headers.TRANSACTIONS": "From its fields 4 and 5, counted from 0",
    "ethereum.headers.RECEIPTS": "From its fields 4 and 5, counted from 0",
    "ethereum.headers.NUMBER": None,  # Ethereum's
    "ethereum.headers.TIME": "at the block's time (field 11)",
    "ethereum.headers.LEAST_FIELDS": None,  # as above
    "ethereum.tries.BRANCH": None,  # as above
    "messages.envelope.ENVELOPE_VERSION": "| 0 | version | 1 | 1 |",
    "messages.consent.RECHECK_HOURS": "our tools write 168 hours and 30 days",
    "messages.consent.REMOVAL_DAYS": "our tools write 168 hours and 30 days",
    "messages.message.CONSENT": "| 1 | kind | 1 | 2 |",
    "messages.message.REVOCATION": "| 1 | kind | 1 | 2 |",
    "messages.message.SUBLICENSE": "with the kinds 3, 4, 5 and 6 in envelopes",
    "messages.message.USE": "with the kinds 3, 4, 5 and 6 in envelopes",
    "messages.message.REMOVAL": "with the kinds 3, 4, 5 and 6 in envelopes",
    "messages.message.DISPUTE": "with the kinds 3, 4, 5 and 6 in envelopes",
    "messages.consent_rules.LATEST": "`expiresAt` MUST be at most 253402300799",
    "snapshots.fuse_filter.SALT_BYTES": "| 8 | salt | 16 bytes",
    "snapshots.hash_list.NAME_BYTES": "A name is the first 12 bytes of the SHA-256",
    "encoding.json_text.NESTING": "nested more than 64 deep",
    "verdicts.rows.CONSENTS_AT_ONCE": None,  # of a batch in memory
    "verdicts.license_table.ABSENT": None,  # says "not there" in memory
    "primitives.ADDRESS_BYTES": "Every address MUST have 20 bytes",
    "primitives.HASH_BYTES": "`content` and `terms` MUST have 32 bytes each",
    "receipts.text.PATH_STEPS": "more than 64 hashes",
    "sync.fingerprints.PLACE_BITS": "a *place* of 64 bits",
    "sync.fingerprints.SHORT_BYTES": "a fingerprint of 5 bytes",
    "sync.fingerprints.SALT_BYTES": "`salt` is 16 bytes",
    "sync.fingerprints.CHECK_BYTES": "SHA-256(salt . ids)[0:16]",
    "sync.fingerprints.NODES": "in ascending order, 1 to 1,024 of them",
    "sync.fingerprints.ROOT": "the root is 1",
    "sync.fingerprints.LONGEST_BYTES": None,  # of the LEB128 of a number below 2^64
    "sync.requests.MAX_STEP": "with `step` 1 to 4",
    "sync.requests.WANTED": "A request MUST name at most 1,024 messages in all",
    "sync.requests.REQUEST_BYTES": "A request MUST have at most 1,048,576 bytes",
    "sync.answers.LISTED": "nil if the node has more than 256 entries",
    "sync.answers.LISTED_IN_ALL": None,  # as many as the responder chooses
    "sync.answers.CHECKED_AT_MOST": "more than 65,536 entries",
    "sync.answers.BUNDLE_BYTES": "The response MUST have at most 4 MiB",
    "sync.answers.ANSWER_BYTES": "A response MUST have at most 8,388,608 bytes",
    "sync.answers.TAKEN": "0 if the responder has it now",
    "sync.answers.DECLINED": "1 if it does not",
    "sync.walk.FEW": None,  # a requester's choice (11.10), like the rest of them
    "sync.walk.STEP": "and of 2 for many",
    "sync.walk.LEAF": None,
    "sync.walk.LEAF_OF_MANY": None,
    "sync.walk.RANGE_LEVEL": None,
    "sync.walk.CHECKED": None,
    "sync.solving.BUDGET": None,
    "sync.solving.LAST": "MUST be at most 63 together",
    "sync.fingerprints.CELL_LEVEL": "MUST be of level 23 at most",
    "sync.fingerprints.CELL_BYTES": "a *cell* of 6 bytes",
    "messages.wire.BUNDLE_FILE_BYTES": None,  # follows from 7.1.1 and 6.2.2
    "network_file.FILE_CHARS": "at most 65,536 characters",
    "encoding.json_text.DOCUMENT_BYTES": "of more than 4 MiB",
    "primitives.HEX_BYTES": "of more than 4 MiB",
    "verdicts.verdict.REMEMBERED": None,  # how much is read or kept at once is no rule
    "verdicts.chains.REMEMBERED": None,
    "verdicts.license_table.HOUR_S": None,  # an hour
    "verdicts.bulk.FEW_ITEMS": None,
    "verdicts.bulk.ITEMS_AT_ONCE": None,
    "verdicts.passed.LICENSES_AT_ONCE": None,
    "verdicts.license_table.PURPOSES_BYTES": None,
    "encoding.row_tree.NODE_ROWS": None,  # the limit `tree_arity`
    "encoding.row_tree.ROW_BYTES": "`license . item` (64 bytes)",
    "permissions.scopes.SCOPE_FLAG": "(uint248(keccak256(scope)) | 2^247)",
    "permissions.scopes.WORD_MASK": "the low 248 bits of the hash",
    "signatures.wallets.EOA_SIGNATURE_BYTES": "of an account with a key is 65 bytes `r . s . v`",
    "signatures.nodes.NODE_SIGNATURE_BYTES": "A node's signature is Ed25519 (RFC 8032), 64 bytes",
    "signatures.nodes.NODE_KEY_BYTES": "| 1 | node key | 32 bytes, Ed25519 |",
    "signatures.wallets.HALF_ORDER": f"0x{HALF_ORDER:X}",
    "snapshots.head.HEAD_BYTES": "length of the head, at most 1,024",
    "permissions.state_digest.SUM_BYTES": "the 2,048 bytes of the sum",
    "permissions.words.WORD_BITS": "A bit stands in a *word* of 256 bits",
    "permissions.words.FULL": "A mask MUST be below 2^256",
    "traces.duties.DAY_S": "of the consent, each 86,400 seconds",
    "traces.endings.KEPT_S": "a license is *over* 365 days after",
    "traces.landings.UNDATED": None,  # ours
    "traces.landings.NOT_REVOKED": None,  # ours
}
# What is fixed outside of sayso_protocol, or has no public name there.
PHRASES = [
    "`name` = `Sayso`, `version` = `1`",
    "Arrays MUST be nested at most 8 deep",
    "at most 1,024 elements",
    "`expiresAt` MUST be at most 253402300799",
    "SHA-256(0x01 . level . children)",
    "SHA-256(0x02 . level . children)",
    "SHA-256(0x00 . data)",
    "SHA-256(0x01 . left . right)",
    "keccak256(0x19 . 0x01 . domainSeparator . hashStruct(message))",
    "keccak256(abi.encode(grantee, via, content, purposes))",
    f"the 32 bytes `{MARK[:2].hex()}` repeated {'sixteen' if MARK[:2] * 16 == MARK else '?'} times",
    "the first 32 of them `1626ba7e` and zeros",
    "with 2,000,000 gas",
    "with 600,000 gas",
    "in storage slot 1",
    "first = ((h >> 32) * starts * segment) >> 32",
    "second = (first + segment) XOR ((h >> 18) mod segment)",
    "third = (first + 2 * segment) XOR (h mod segment)",
    "p = (a + s) * (b + t) hash = p XOR (p >> 32)",
    "`w` is 16 plus the number of bits of `n - 1`",
]


def numbers() -> Iterator[str]:
    """The public integers of every module of the protocol, by module and name."""
    package = ROOT / "protocol" / "sayso_protocol"
    for path in SOURCES:
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        source = path.read_text()
        assigned = {
            name.id
            for node in ast.parse(source).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            for name in ast.walk(target)
            if isinstance(name, ast.Name)
        }
        values = vars(importlib.import_module(f"sayso_protocol.{module}"))
        for name in sorted(assigned):
            if name.isupper() and not name.startswith("_") and type(values[name]) is int:
                yield f"{module}.{name}"


def magic() -> Iterator[str]:
    """Every text in the code that stands before, or names, something on the wire or in a file."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
                continue
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            if re.fullmatch(r"sayso[ -][a-z -]+ ?-?\d\0?|/sayso/.*", text):
                yield text.rstrip("\0")


def test_every_number_of_the_code_is_accounted_for() -> None:
    assert set(numbers()) == set(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_in_the_document(name: str) -> None:
    said = NUMBERS[name]
    assert said is None or said in WHOLE


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_constant_is_in_the_document(phrase: str) -> None:
    assert phrase in WHOLE


def test_magic_texts_are_in_the_document() -> None:
    found = set(magic())
    assert {"sayso batch 1", "sayso state 1", "sayso receipt 1", "sayso-receipt-1"} <= found
    assert not {text for text in found if text not in WHOLE}


def test_magic_texts_of_the_document_are_in_the_code() -> None:
    named = set(re.findall(r'"(sayso[ -][a-z-]+[ -]\d)"|`(sayso [a-z]+ \d)`', PROTOCOL))
    assert {one or other for one, other in named} <= set(magic())


def test_type_strings_are_the_same_both_ways() -> None:
    ours = {
        *(type_string(one.title, one.fields) for one in KINDS.values()),
        type_string("EIP712Domain", DOMAIN_FIELDS),
    }
    assert ours == set(re.findall(r"^    ([A-Z]\w+\(\w+ \w+,.*\))$", SECTIONS["4"], re.MULTILINE))


def test_contexts_are_the_same_both_ways() -> None:
    named = re.findall(r"^\| `(sayso [a-z ]+ \d)` \|", SECTIONS["4"], re.MULTILINE)
    ours = [value for value in vars(nodes).values() if isinstance(value, bytes)]
    assert {one.encode() + b"\0" for one in named} == {one for one in ours if one.startswith(b"sayso ")}


def test_reasons_and_their_numbers_are_the_same_both_ways() -> None:
    named = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", SECTIONS["8"], re.MULTILINE)
    assert named == [(reason.value, str(reason.number)) for reason in Reason]
