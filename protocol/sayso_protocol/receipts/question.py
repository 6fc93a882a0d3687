"""The question of a check: what is asked about each row, and repeated in the receipt (rule 9.1)."""

from dataclasses import dataclass

from sayso_protocol.verdicts.query import Query


@dataclass(frozen=True)
class Question:
    """What is asked about every row of a run.

    Attributes:
        query: Grantee and purpose.
        max_age_s: The oldest view of chain and peers that the buyer accepts, seconds.
        run_id: The buyer's own name for the run; a new one each time makes old answers useless.
    """

    query: Query
    max_age_s: int
    run_id: str
