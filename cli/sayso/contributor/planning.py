"""Plans of revocations: the messages to sign, and the licenses that they hit.

plan = await make_plan(Wish(sentence="via kled.ai"), signer, node)
plan.revocations, plan.hits
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sayso.contributor.revoking import (
    bits_hit,
    file_scopes,
    license_masks,
    license_scopes,
    revoke_masks,
    revoke_scopes,
    with_purposes,
)
from sayso.errors import NothingToRevoke
from sayso.node_client.answers import HeldLicense
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.primitives import address_from_text
from sayso_protocol.verdicts.known_bits import RevokedBits
from sayso_protocol.verdicts.verdict import License

EVERYTHING: Final = "everything"


class LicenseSource(Protocol):
    """LicenseSource finds licenses, such as a NodeClient."""

    async def license(self, license_hash: bytes) -> HeldLicense:
        """Return a license by its hash, 32 bytes."""
        ...

    async def licenses_of(
        self, contributor: bytes, *, via: str | None = None, grantee: bytes | None = None
    ) -> list[HeldLicense]:
        """Return the licenses of an address, 20 bytes, and of one marketplace or to one grantee."""
        ...


@dataclass(frozen=True)
class FileItems:
    """FileItems holds the item hashes under which a file may be licensed, 32 bytes each.

    Attributes:
        plain: The SHA-256 of its bytes.
        salted: One for each salt of it that is known.
    """

    plain: bytes
    salted: tuple[bytes, ...] = ()

    def named(self, public: Container[bytes]) -> tuple[bytes, ...]:
        """Return the hashes that a revocation names.

        Whoever sees the plain hash can find out which file it is. It is named only if it is public
        already, in one of the licenses, or if there is no other.
        """
        return self.salted if self.salted and self.plain not in public else (self.plain, *self.salted)


@dataclass(frozen=True)
class Wish:
    """Wish states what a person revokes: a scope, a license or parts of it, items, or purposes.

    Attributes:
        sentence: A scope, such as `via kled.ai for train-ai`, or empty.
        license: License hash, 32 bytes, or None.
        items: Item hashes, 32 bytes each.
        purposes: Purpose names.
        files: Files, each by all its item hashes.
    """

    sentence: str = ""
    license: bytes | None = None
    items: tuple[bytes, ...] = ()
    purposes: tuple[str, ...] = ()
    files: tuple[FileItems, ...] = ()

    def scopes(self, public: Container[bytes] = ()) -> list[Scope]:
        """Return the scopes of the wish; raises NothingToRevoke, InvalidScope and InvalidPurpose.

        `public` are the item hashes of the licenses that are known.
        """
        if self.sentence:
            if self.license or self.items or self.files or self.purposes:
                raise NothingToRevoke("a sentence says everything: write the purpose into it")
            return [Scope.parse(self.sentence)]
        if self.items or self.files:
            items = (item for file in self.files for item in file.named(public))
            return file_scopes([*items, *self.items], self.purposes)
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


async def make_plan(wish: Wish, signer: bytes, licenses: LicenseSource) -> Plan:
    """Plan the revocations of a wish by `signer`, 20 bytes.

    Raises:
        NothingToRevoke: The license is another contributor's and names another guardian, or has no such
            item or purpose.
    """
    if wish.license is None or wish.sentence:
        held = await _meant(wish, signer, licenses)
        public = {item for one in held for item in one.license.items} if wish.files else ()
        planned = tuple(revoke_scopes(signer, wish.scopes(public)))
        return Plan(planned, _hits(planned, held))
    one = await licenses.license(wish.license)
    revocations = _of_license(wish, signer, one.license)
    return Plan(revocations, _hits(revocations, [one]))


def _of_license(wish: Wish, signer: bytes, held: License) -> tuple[Revocation, ...]:
    """Return the revocations of a whole license, by its contributor or guardian, or of some items."""
    contributor = held.consent.contributor
    if signer not in held.consent.revokers:
        raise NothingToRevoke("this license is another wallet's, and does not name this one as guardian")
    if not wish.items and not wish.files:
        ward = None if signer == contributor else contributor
        return tuple(revoke_scopes(signer, license_scopes(held, wish.purposes, ward)))
    if signer != contributor:
        raise NothingToRevoke("a guardian revokes single files in every license: ward ADDRESS file HASH")
    items = [*(item for file in wish.files for item in _held_as(held, file)), *wish.items]
    return tuple(revoke_masks(signer, license_masks(held, items, wish.purposes)))


def _held_as(held: License, file: FileItems) -> Sequence[bytes]:
    """Return the item hashes by which a license names a file; the plain one if it names none."""
    known = [item for item in (file.plain, *file.salted) if held.position_of(item) is not None]
    return known or [file.plain]


def plan_blindly(wish: Wish, signer: bytes) -> Plan:
    """Plan scopes without a source of licenses; raises NothingToRevoke for a license."""
    if wish.license is not None and not wish.sentence:
        raise NothingToRevoke("a part of a license can be revoked only with its consent at hand")
    return Plan(tuple(revoke_scopes(signer, wish.scopes())), None)


async def _meant(wish: Wish, signer: bytes, licenses: LicenseSource) -> list[HeldLicense]:
    """Return the licenses that a wish may hit: of the signer, or of the ward of a guardian's scope."""
    first = wish.scopes()[0]
    if first.is_of_statements:
        return []
    kind, _, value = first.subject.partition(" ")
    narrower: dict[str, Any] = {}
    if kind == "via":
        narrower = {"via": value}
    elif kind == "to":
        narrower = {"grantee": address_from_text(value)}
    return await licenses.licenses_of(first.ward or signer, **narrower)


def _hits(
    revocations: tuple[Revocation, ...], held: Iterable[HeldLicense]
) -> tuple[tuple[HeldLicense, int], ...]:
    known = RevokedBits(revocations)  # once, because thousands of files meet thousands of licenses
    counted = ((one, bits_hit(known, one.license)) for one in held)
    return tuple((one, count) for one, count in counted if count)
