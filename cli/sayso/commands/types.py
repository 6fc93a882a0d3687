"""Types of option values. A bad address or hash has its own code; other bad values are usage errors."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import click

from sayso.commands.options import option_of
from sayso.gate.policy import UNITS, address_of, seconds_of


def duration(text: str) -> int:
    """Parse `60s`, `5m`, `1h`, `30d`, `2w`, `1y` (365 days) or a bare number into seconds."""
    try:
        return seconds_of(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def whole_hours(text: str) -> int:
    """Parse a time span into hours."""
    return _whole(text, "h")


def whole_days(text: str) -> int:
    """Parse a time span into days."""
    return _whole(text, "d")


def _whole(text: str, unit: str) -> int:
    units, rest = divmod(duration(text), UNITS[unit])
    if rest:
        name = "hours" if unit == "h" else "days"
        raise click.BadParameter(f"{text!r} is not a whole number of {name} such as 30{unit}")
    return units


def when(text: str) -> int:
    """Parse a span from now or an ISO 8601 date (UTC by default) into seconds since the epoch."""
    with suppress(ValueError):
        return int(time.time()) + seconds_of(text)
    return date(text)


def expiry(text: str) -> int:
    """Parse what `when` does; the end of a license or a run is not in the past."""
    if (found := when(text)) < int(time.time()):
        raise click.BadParameter(f"{text!r} is in the past")
    return found


def date(text: str) -> int:
    """Parse an ISO 8601 date or time (UTC by default) into seconds since the epoch."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a time span such as 1y nor a date such as 2027-06-30"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


expiry_option: Final = option_of(expiry)
grantee_option: Final = option_of(address_of)  # an address, or `anyone`
max_age_option: Final = click.option(
    "--max-age",
    "max_age_s",
    type=duration,
    default="60s",
    show_default=True,
    help="The oldest view of chain and peers to accept.",
)
