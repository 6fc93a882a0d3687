"""The use: a holder states that it used licensed data in a run (rule 3.13)."""

from dataclasses import dataclass
from typing import ClassVar

from sayso_protocol.messages.message import USE
from sayso_protocol.messages.notice import counted, moment
from sayso_protocol.messages.statements import rules
from sayso_protocol.permissions.purposes import check_purpose

USE_FIELDS = (
    *rules.COMMON_FIELDS,
    ("string", "purpose"),
    ("string", "run"),
    ("bytes32", "record"),
    ("uint64", "usedAt"),
)


@dataclass(frozen=True)
class Use:
    """Use states that data was used; the constructor raises InvalidStatement and InvalidPurpose.

    Attributes:
        signer: The holder that used the data, 20 bytes.
        content: Root over the hashes, ascending, 32 bytes. A hash is that of a license, or the digest of
            a sublicense, which stands for all its licenses.
        count: The number of hashes.
        purpose: The purpose of the run (rule 3.3).
        run: The signer's name for the run, 0 to 64 characters.
        record: SHA-256 of the record of the check before the run, 32 bytes; zero for none.
        used_at: Seconds since the epoch.
    """

    kind: ClassVar[int] = USE

    signer: bytes
    content: bytes
    count: int
    purpose: str
    run: str
    record: bytes
    used_at: int

    def __post_init__(self) -> None:
        """Check rules 3.11 and 3.13."""
        rules.check_common(self)
        check_purpose(self.purpose)
        rules.check_run(self.run)
        rules.check_hash(self.record, "`record`")
        rules.check_moment(self.used_at)

    @property
    def notice(self) -> str:
        """See Message (rule 4.6.4)."""
        run = f", in run {self.run}" if self.run else ""
        used = counted(self.count, "license or sublicense", "licenses or sublicenses")
        return f"I used data of {used} for {self.purpose} at {moment(self.used_at)}{run}."


read_uses = rules.reader(Use)
