"""Plans of revocations: the messages to sign, and the licenses that they hit.

plan = await make_plan(Wish(sentence="via kled.ai"), signer, node)
plan.revocations, plan.permissions
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from sayso.contributor.revoking import (
    file_scopes,
    license_masks,
    license_scopes,
    permissions_hit,
    revoke_masks,
    revoke_scopes,
    with_purposes,
)
from sayso.errors import NothingToRevoke
from sayso.node_client.answers import HeldLicense
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.verdicts.verdict import License

EVERYTHING: Final = "everything"


class LicenseSource(Protocol):
    """LicenseSource finds licenses, such as a NodeClient."""

    async def license(self, license_hash: bytes) -> HeldLicense:
        """Return a license by its hash, 32 bytes."""
        ...

    async def licenses_of(self, contributor: bytes) -> list[HeldLicense]:
        """Return the licenses of an address, 20 bytes."""
        ...


@dataclass(frozen=True)
class Wish:
    """Wish states what a person revokes: a scope, a license or parts of it, items, or purposes.

    Attributes:
        sentence: A scope, such as `via kled.ai for train-ai`, or empty.
        license: License hash, 32 bytes, or None.
        items: Item hashes, 32 bytes each.
        purposes: Purpose names.
    """

    sentence: str = ""
    license: bytes | None = None
    items: tuple[bytes, ...] = ()
    purposes: tuple[str, ...] = ()

    def scopes(self) -> list[Scope]:
        """Return the scopes of the wish; raises NothingToRevoke, InvalidScope and InvalidPurpose."""
        if self.sentence:
            if self.license or self.items or self.purposes:
                raise NothingToRevoke("a sentence says everything: write the purpose into it")
            return [Scope.parse(self.sentence)]
        if self.items:
            return file_scopes(self.items, self.purposes)
        if self.purposes:
            return with_purposes([EVERYTHING], self.purposes)
        raise NothingToRevoke(
            "say what: a sentence such as `everything`, or --license, --file, --purpose"
        )


@dataclass(frozen=True)
class Plan:
    """Plan holds the revocations to sign, and the known licenses that they hit.

    Attributes:
        revocations: The unsigned revocations.
        hits: Each license with the number of its hit permissions; None without a source of licenses.
    """

    revocations: tuple[Revocation, ...]
    hits: tuple[tuple[HeldLicense, int], ...] | None

    @property
    def permissions(self) -> int | None:
        """Return the number of known permissions that are hit, or None if `hits` is None."""
        return None if self.hits is None else sum(count for _, count in self.hits)


async def make_plan(wish: Wish, signer: bytes, licenses: LicenseSource) -> Plan:
    """Plan the revocations of a wish by `signer`, 20 bytes.

    Raises:
        NothingToRevoke: The license is another contributor's and names another guardian, or has no such
            item or purpose.
    """
    if wish.license is None or wish.sentence:
        plan = plan_blindly(wish, signer)
        held = await licenses.licenses_of(_whose(wish, signer))
        return Plan(plan.revocations, _hits(plan.revocations, held))
    one = await licenses.license(wish.license)
    revocations = _of_license(wish, signer, one.license)
    return Plan(revocations, _hits(revocations, [one]))


def _of_license(wish: Wish, signer: bytes, held: License) -> tuple[Revocation, ...]:
    """Return the revocations of a whole license, by its contributor or guardian, or of some items."""
    contributor = held.consent.contributor
    if signer not in held.consent.revokers:
        raise NothingToRevoke("this license is another wallet's, and does not name this one as guardian")
    if not wish.items:
        ward = None if signer == contributor else contributor
        return tuple(revoke_scopes(signer, license_scopes(held, wish.purposes, ward)))
    if signer != contributor:
        raise NothingToRevoke("a guardian revokes single files in every license: ward ADDRESS file HASH")
    return tuple(revoke_masks(signer, license_masks(held, wish.items, wish.purposes)))


def plan_blindly(wish: Wish, signer: bytes) -> Plan:
    """Plan scopes without a source of licenses; raises NothingToRevoke for a license."""
    if wish.license is not None and not wish.sentence:
        raise NothingToRevoke("a part of a license can be revoked only with its consent at hand")
    return Plan(tuple(revoke_scopes(signer, wish.scopes())), None)


def _whose(wish: Wish, signer: bytes) -> bytes:
    """Return the contributor of the licenses: the signer, or the ward of a guardian's scope."""
    return next((scope.ward for scope in wish.scopes() if scope.ward), signer)


def _hits(
    revocations: tuple[Revocation, ...], held: Iterable[HeldLicense]
) -> tuple[tuple[HeldLicense, int], ...]:
    counted = ((one, permissions_hit(revocations, one.license)) for one in held)
    return tuple((one, count) for one, count in counted if count)
