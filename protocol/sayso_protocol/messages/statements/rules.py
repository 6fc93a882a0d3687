"""The rules that all statements share (rule 3.11).

A statement names 1 to 1,024 hashes, ascending, which travel beside it and are bound by `content`, the
root of the 32-ary tree (rule 4.1). `count` is signed beside the root, so no node can pass for a hash.
"""

import re
from collections.abc import Callable, Sequence
from operator import lt
from typing import Final, Protocol, TypeVar

from sayso_protocol.encoding.columns import Column
from sayso_protocol.encoding.merkle import joined_root
from sayso_protocol.errors import InvalidPurpose, InvalidStatement, Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent_rules import LATEST, TERMS_URI
from sayso_protocol.messages.message import Message
from sayso_protocol.permissions.purposes import check_purpose
from sayso_protocol.primitives import ADDRESS_BYTES, HASH_BYTES, NOBODY

COMMON_FIELDS: Final = (
    ("string", "notice"),
    ("address", "signer"),
    ("bytes32", "content"),
    ("uint32", "count"),
)
_SIGNER_CONTENT_COUNT = slice(1, 4)
_RUN = re.compile(r"[A-Za-z0-9._-]{0,64}", re.ASCII)


class _Common(Protocol):
    """The fields that every statement has."""

    @property
    def signer(self) -> bytes: ...
    @property
    def content(self) -> bytes: ...
    @property
    def count(self) -> int: ...


M = TypeVar("M", bound=Message)


def check_common(statement: _Common) -> None:
    """Check signer, content and count (rules 3.11.1 to 3.11.3); raises InvalidStatement."""
    check_address(statement.signer, "the signer")
    check_hash(statement.content, "`content`")
    if not 1 <= statement.count <= LIMITS.hashes:
        raise InvalidStatement(f"a statement names 1 to {LIMITS.hashes:,} hashes")


def check_address(address: bytes, name: str) -> None:
    """Check that an address has 20 bytes and is not zero; raises InvalidStatement."""
    if len(address) != ADDRESS_BYTES or address == NOBODY:
        raise InvalidStatement(f"{name} is an address of {ADDRESS_BYTES} bytes that is not zero")


def check_hash(value: bytes, name: str) -> None:
    """Check that a hash has 32 bytes; raises InvalidStatement."""
    if len(value) != HASH_BYTES:
        raise InvalidStatement(f"{name} has {HASH_BYTES} bytes")


def check_purposes(names: tuple[str, ...]) -> None:
    """Check 1 to 16 names, ascending and unique; raises InvalidStatement and InvalidPurpose."""
    if not 1 <= len(names) <= LIMITS.purposes or not all(map(lt, names, names[1:])):
        raise InvalidStatement(f"purposes are 1 to {LIMITS.purposes} names, sorted and unique")
    for name in names:
        check_purpose(name)


def check_span(issued_at: int, expires_at: int, most_s: int) -> None:
    """Check that a statement ends after it begins, at most `most_s` seconds later.

    Raises:
        InvalidStatement: It does not, or a time is not one of the years 1970 to 9999.
    """
    if not 0 <= issued_at < expires_at <= LATEST:
        raise InvalidStatement("a statement must end after it begins")
    if expires_at - issued_at > most_s:
        raise InvalidStatement(f"this statement must end within {most_s // 86_400:,} days")


def check_moment(seconds: int) -> None:
    """Check a time of the years 1970 to 9999; raises InvalidStatement."""
    if not 0 <= seconds <= LATEST:
        raise InvalidStatement("a time is one of the years 1970 to 9999")


def check_terms(terms: bytes, uri: str) -> None:
    """Check the hash and the address of a license text (rule 3.5); raises InvalidStatement."""
    check_hash(terms, "`terms`")
    if uri and (len(uri) > LIMITS.terms_uri_bytes or not TERMS_URI.fullmatch(uri)):
        raise InvalidStatement("termsUri must be https without query or fragment")


def check_run(run: str) -> None:
    """Check the name of a run (rule 3.13.2); raises InvalidStatement."""
    if not _RUN.fullmatch(run):
        raise InvalidStatement("a run has at most 64 letters, digits, dots, underscores and hyphens")


def check_code(code: str) -> None:
    """Check the code of a dispute, which has the form of a purpose; raises InvalidStatement."""
    try:
        check_purpose(code)
    except InvalidPurpose:
        raise InvalidStatement(f"not a code of a dispute: {code[:80]!r}") from None


def check_hashes(columns: Sequence[Column], lists: Column) -> None:
    """Check the hashes of many statements of one kind (rules 3.11.3 to 3.11.5).

    Args:
        columns: The columns of the fields, the notice first.
        lists: The hashes of each statement.

    Raises:
        InvalidStatement: Their number or root is another one, one has not 32 bytes, or they do not
            ascend.
        Malformed: A hash is not bytes.
    """
    _, contents, counts = columns[_SIGNER_CONTENT_COUNT]
    for hashes, content, count in zip(lists, contents, counts, strict=True):
        if len(hashes) != count:
            raise InvalidStatement("the number of hashes differs from `count`")
        if not all(isinstance(one, bytes) for one in hashes):
            raise Malformed("a hash is 32 bytes")
        if {*map(len, hashes)} != {HASH_BYTES}:
            raise InvalidStatement(f"a hash has {HASH_BYTES} bytes")
        if not all(map(lt, hashes, hashes[1:])):
            raise InvalidStatement("the hashes must ascend, each once")
        if joined_root(b"".join(hashes)) != content:
            raise InvalidStatement("the hashes do not give `content`")


def reader(kind: Callable[..., M]) -> Callable[[Sequence[Column]], list[M]]:
    """Return what builds the statements of a kind from the columns of its fields, the notice first.

    It raises InvalidStatement for a notice that is not the computed sentence (rule 4.6), and the errors
    of the constructor.
    """

    def read(columns: Sequence[Column]) -> list[M]:
        notices, *rest = columns
        statements = [kind(*row) for row in zip(*rest, strict=True)]
        for statement, notice in zip(statements, notices, strict=True):
            if statement.notice != notice:
                raise InvalidStatement("the notice is not the sentence that its fields give")
        return statements

    return read
