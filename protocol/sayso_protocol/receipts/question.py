"""The question of a check, which the receipt repeats (rule 9.1)."""

from dataclasses import dataclass, field

from sayso_protocol.verdicts.query import Query


@dataclass(frozen=True)
class Question:
    """Question is the question about every row of a run.

    Attributes:
        query: Grantee, purpose, and whose disputes count.
        max_age_s: The oldest view of chain and peers that the buyer accepts, seconds.
        run_id: The buyer's own name for the run; with a new name, an old receipt cannot be reused.
        run_until: When the run ends, seconds since the epoch; a row of which the answer may not be
            relied on so long is `stale` (rule 8.9). 0 if the buyer does not say.
    """

    query: Query
    max_age_s: int
    run_id: str
    run_until: int = field(default=0, kw_only=True)

    def is_answered_by(self, other: "Question") -> bool:
        """Return whether an answer to another question answers this one (see Query)."""
        same = (self.max_age_s, self.run_id, self.run_until)
        return same == (other.max_age_s, other.run_id, other.run_until) and self.query.is_answered_by(
            other.query
        )
