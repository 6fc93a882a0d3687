"""The removal: a holder confirms that it removed what was revoked (rule 3.14)."""

from dataclasses import dataclass
from typing import ClassVar

from sayso_protocol.errors import InvalidStatement
from sayso_protocol.messages.message import REMOVAL
from sayso_protocol.messages.notice import counted
from sayso_protocol.messages.statements import rules

REMOVAL_FIELDS = (
    *rules.COMMON_FIELDS,
    ("uint64", "asOfBlock"),
    ("bytes32", "record"),
)
_HIGHEST_BLOCK = 2**53 - 1  # JavaScript's largest exact integer


@dataclass(frozen=True)
class Removal:
    """Removal confirms that revoked data is gone; the constructor raises InvalidStatement.

    Attributes:
        signer: The holder that removed the data, 20 bytes.
        content: Root over the hashes, ascending, 32 bytes. A hash is that of a license, or the digest of
            a sublicense, which stands for all its licenses.
        count: The number of hashes.
        as_of_block: The block up to which the signer looked for revocations.
        record: SHA-256 of the signer's own record of the removal, 32 bytes; zero for none.
    """

    kind: ClassVar[int] = REMOVAL

    signer: bytes
    content: bytes
    count: int
    as_of_block: int
    record: bytes

    def __post_init__(self) -> None:
        """Check rules 3.11 and 3.14."""
        rules.check_common(self)
        if not 0 <= self.as_of_block <= _HIGHEST_BLOCK:
            raise InvalidStatement("a block has a number from 0 to 2^53 - 1")
        rules.check_hash(self.record, "`record`")

    @property
    def notice(self) -> str:
        """See Message (rule 4.6.5)."""
        named = counted(self.count, "license or sublicense", "licenses or sublicenses")
        return f"I removed from all I hold what is revoked of {named}, as of block {self.as_of_block}."


read_removals = rules.reader(Removal)
