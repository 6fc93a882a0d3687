"""A buyer's policy: what every check of this place asks, in a file beside the pipeline.

    [check]
    grantee = "anyone"
    purposes = ["train-ai"]
    max_age = "10m"
    nodes = ["https://north.example"]
    heed = ["0x52908400098527886E0F7030069857D2E4169EE7"]
    quoting = "none"

It gives the options of a check that are not named, and a check that asks for less is refused.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sayso.contributor.saved_messages import read_bounded
from sayso.errors import BadPolicy
from sayso.gate.formats.base import Dialect, Quoting
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import ANYONE, address_from_text

POLICY_FILE: Final = Path("sayso.toml")
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
TABS: Final = ("\\t", "tab")  # as people write it in a shell
NOBODY: Final = "none"
_BYTES: Final = 64 * 1024
_SPAN: Final = re.compile(r"([0-9]{1,9})([smhdwy]?)", re.ASCII)
_READING: Final = ("delimiter", "encoding", "quoting", "labels")


class Policy(Struct, forbid_unknown_fields=True):
    """Policy is the table `check` of a policy file; a field that is not set leaves the choice open.

    Attributes:
        grantee: The only grantee for whom checks ask.
        purposes: The purposes that checks may ask for.
        max_age: The oldest view of chain and peers, as --max-age takes it.
        nodes: Nodes that every check with nodes asks.
        heed: Whose disputes count in every check.
        bad_rows, delimiter, encoding, quoting, labels: The dialect of manifests.
    """

    grantee: str | UnsetType = UNSET
    purposes: list[str] | UnsetType = UNSET
    max_age: str | UnsetType = UNSET
    nodes: list[str] | UnsetType = UNSET
    heed: list[str] | UnsetType = UNSET
    bad_rows: str | UnsetType = UNSET
    delimiter: str | UnsetType = UNSET
    encoding: str | UnsetType = UNSET
    quoting: str | UnsetType = UNSET
    labels: list[str] | UnsetType = UNSET

    def options(self) -> dict[str, Any]:
        """Return the options that it gives, by the names that a command has for them."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        given = {name: value for name, value in given.items() if value is not UNSET}
        purposes = given.pop("purposes", [])
        if len(purposes) == 1:
            given["purpose"] = purposes[0]
        if "max_age" in given:
            given["max_age_s"] = given.pop("max_age")
        if given.get("heed") == []:
            given["heed"] = [NOBODY]
        return given

    def settings(self) -> dict[str, Any]:
        """Return the options that it gives, as check_within compares them; raises BadPolicy."""
        given = self.options()
        try:
            if "grantee" in given:
                given["grantee"] = address_of(given["grantee"])
            if "max_age_s" in given:
                given["max_age_s"] = seconds_of(given["max_age_s"])
            if "heed" in given:
                given["heed"] = _heeded(given["heed"])
            dialect = dialect_of(given)
        except (SaysoError, ValueError) as error:
            raise BadPolicy(f"the policy is invalid: {error}") from error
        return given | {name: value for name, value in _parts(dialect).items() if name in given}


def seconds_of(text: str) -> int:
    """Read `60s`, `5m`, `1h`, `30d`, `2w`, `1y` (365 days) or a bare number; raises ValueError."""
    if match := _SPAN.fullmatch(text):
        return int(match[1]) * UNITS[match[2] or "s"]
    raise ValueError(f"{text!r} is not a time span such as 60s, 1h or 30d")


def address_of(who: bytes | str) -> bytes:
    """Return an address, 20 bytes, zero for `anyone`; raises InvalidAddress."""
    return who if isinstance(who, bytes) else ANYONE if who == "anyone" else address_from_text(who)


def _heeded(names: list[str]) -> tuple[bytes, ...]:
    if NOBODY in names and len(names) > 1:
        raise ValueError("`none` stands alone")
    return tuple(address_of(one) for one in names if one != NOBODY)


def dialect_of(options: Mapping[str, Any]) -> Dialect:
    """Return the dialect of options by their names; raises BadManifest, ValueError."""
    given = {name: options[name] for name in _READING if options.get(name) is not None}
    if given.get("delimiter") in TABS:
        given["delimiter"] = "\t"
    if given.get("quoting", "none") not in get_args(Quoting):
        raise ValueError(f"{given['quoting']!r} is not a quoting: double or none")
    if options.get("bad_rows", "refuse") not in ("refuse", "reject"):
        raise ValueError(f"{options['bad_rows']!r} is not what becomes of bad rows")
    given["labels"] = tuple(given.get("labels", ()))
    return Dialect(**given, reject_bad=options.get("bad_rows") == "reject")


def _parts(dialect: Dialect) -> dict[str, Any]:
    parts = {name: getattr(dialect, name) for name in _READING}
    return parts | {"bad_rows": "reject" if dialect.reject_bad else "refuse"}


class PolicyGate:
    """PolicyGate is a gate that a policy can give."""

    @classmethod
    def from_policy(
        cls,
        policy: Policy | Path | str = POLICY_FILE,
        grantee: bytes | str | None = None,
        purpose: str | None = None,
        *,
        dialect: Dialect | None = None,
        **options: Any,
    ) -> Self:
        """Return a gate with the options of a policy, and with others that ask for no less.

        Args:
            policy: The policy, or its file.
            grantee: Who wants to use the data; by default the policy's.
            purpose: The purpose; by default that of the policy, if it permits one only.
            dialect: The reading; it must have what the policy says about it.
            options: Any other options of Gate.

        Raises:
            BadPolicy: It is not a policy, leaves grantee or purpose open, or the options ask for less.
            FileUnreadable: It cannot be read. See Gate for other errors.
        """
        found = policy if isinstance(policy, Policy) else load_policy(Path(policy))
        bound = found.settings()
        asked = {"grantee": grantee, "purpose": purpose, **options}
        asked = {name: value for name, value in asked.items() if value is not None}
        if "grantee" in asked:
            asked["grantee"] = address_of(asked["grantee"])
        if "heed" in asked:
            asked["heed"] = tuple(map(address_of, asked["heed"]))
        if asked.get("offline") and "nodes" not in asked:
            asked["nodes"] = ()
        asked = bound | asked | _parts(dialect or dialect_of(bound))
        if missing := {"grantee", "purpose"} - asked.keys():
            raise BadPolicy(f"the policy leaves {' and '.join(sorted(missing))} open; name it")
        check_within(found, asked, bound)
        reading = dialect_of(asked)
        rest = {name: one for name, one in asked.items() if name not in (*_READING, "bad_rows")}
        return cls(**rest, dialect=reading)  # type: ignore[call-arg]  # as Gate takes them


class _File(Struct, forbid_unknown_fields=True):
    check: Policy


def load_policy(path: Path) -> Policy:
    """Read a policy; raises BadPolicy, FileUnreadable."""
    data = read_bounded(path, _BYTES)
    if len(data) > _BYTES:
        raise BadPolicy(f"{str(path)!r} is not a policy: it has more than {_BYTES:,} bytes")
    try:
        return msgspec.convert(tomllib.loads(data.decode("utf-8-sig")), _File).check
    except (ValueError, msgspec.ValidationError, RecursionError) as error:
        raise BadPolicy(f"{str(path)!r} is not a policy: {error}") from error


def check_within(policy: Policy, asked: Mapping[str, Any], bound: Mapping[str, Any]) -> None:
    """Raise BadPolicy if a check asks for less than the policy does.

    Args:
        policy: The policy.
        asked: The parsed options of the check.
        bound: The parsed options that the policy gives.
    """
    strictness = {"max_age_s": _at_most, "nodes": _covers, "heed": _covers}
    for name, value in bound.items():
        if name in asked and not strictness.get(name, _same)(asked[name], value):
            if name == "nodes" and asked.get("offline"):
                continue
            raise BadPolicy(f"the policy says otherwise about {name.removesuffix('_s')}")
    if policy.purposes is not UNSET and asked["purpose"] not in policy.purposes:
        raise BadPolicy(f"the policy permits checks for {', '.join(policy.purposes) or 'nothing'}")


def _same(asked: Any, bound: Any) -> bool:
    return bool(asked == bound)


def _at_most(asked: Any, bound: Any) -> bool:
    return bool(asked <= bound)


def _covers(asked: Any, bound: Any) -> bool:
    return {*(asked or ())} >= {*(bound or ())}
