"""The clock of a real node; tests and the simulation pass in another."""

import time


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()
