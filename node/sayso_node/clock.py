"""The system clock of a real node; tests and the simulation use their own clock."""

import time


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()
