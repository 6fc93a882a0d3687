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

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sayso.contributor.saved_messages import read_bounded
from sayso.errors import BadPolicy

POLICY_FILE: Final = Path("sayso.toml")
_BYTES: Final = 64 * 1024


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
            given["heed"] = ["none"]
        return given


class _File(Struct, forbid_unknown_fields=True):
    check: Policy


def load_policy(path: Path) -> Policy:
    """Read a policy; raises BadPolicy, FileUnreadable."""
    data = read_bounded(path, _BYTES)
    if len(data) > _BYTES:
        raise BadPolicy(f"{str(path)!r} is not a policy: it has more than {_BYTES:,} bytes")
    try:
        return msgspec.convert(tomllib.loads(data.decode()), _File).check
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
