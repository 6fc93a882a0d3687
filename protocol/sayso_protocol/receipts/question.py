"""The question of a check, which the receipt repeats (rule 9.1)."""

from dataclasses import dataclass

from sayso_protocol.verdicts.query import Query


@dataclass(frozen=True)
class Question:
    """Question is the question about every row of a run.

    Attributes:
        query: Grantee and purpose.
        max_age_s: The oldest view of chain and peers that the buyer accepts, seconds.
        run_id: The buyer's own name for the run; with a new name, an old receipt cannot be reused.
    """

    query: Query
    max_age_s: int
    run_id: str
