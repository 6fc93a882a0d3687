"""Shows URLs without what may be secret: everything but scheme, host and port.

Keys of endpoints stand in a path, a query, a user name or a password. Whatever shows a URL, or a text
that another library or an endpoint wrote about one, goes through this module: errors, logs, records.
"""

import errno
import re
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

_LEAST_SECRET: Final = 6  # characters; shorter parts of a URL, such as `v2`, are words and not keys
HIDDEN: Final = "…"
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://[^\s'\"<>`]+")
_FAILED: Final = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.EHOSTUNREACH: "there is no route to the host",
    errno.ENETUNREACH: "the network is unreachable",
    errno.ETIMEDOUT: "the connection took too long",
}
_ENDS: Final = ".,;:)]}"  # of a sentence around a URL


def reason_of(error: Exception) -> str:
    """Return the words of an error for a sentence: of the system's, neither its number nor the path."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    if not isinstance(error, OSError) or not error.strerror:
        return str(error) or type(error).__name__
    if error.strerror.startswith("Connect call failed"):  # asyncio names the address instead
        return _FAILED.get(error.errno or 0, "the connection failed")
    return error.strerror.rpartition("error while attempting to bind on address ")[2]


def shown_url(url: str) -> str:
    """Return `scheme://host[:port]`, and `/…` if there is more; a sentence for an invalid URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an invalid URL"
    host = f"[{host}]" if ":" in host else host
    more = f"/{HIDDEN}" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "") + more


def redacted(text: str, *urls: str) -> str:
    """Return a text with every URL in it as `shown_url` has it, and without the secrets of `urls`."""
    for secret in sorted({one for url in urls for one in secrets_of(url)}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _URL.sub(_shown_match, text)


def _shown_match(match: "re.Match[str]") -> str:
    url = match[0].rstrip(_ENDS)
    return shown_url(url) + match[0][len(url) :]


def secrets_of(url: str) -> set[str]:
    """Return the parts of a URL that may be keys, as written and decoded."""
    try:
        parts: SplitResult = urlsplit(url)
    except ValueError:
        return {url} - {""}
    after = (parts.path, parts.query, parts.fragment, parts.netloc.rpartition("@")[0])
    whole = [one for text in after for one in (text, *re.split(r"[/&=;:,+?#]", text))]
    found = {form.strip("/") for one in whole for form in (one, unquote(one))}
    return {one for one in found if len(one) >= _LEAST_SECRET}
