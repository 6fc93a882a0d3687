"""The limits of the protocol, with their units (docs/protocol.md, section 2).

A limit is a rule, because implementations with different limits disagree about valid messages.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits holds the protocol's limits; `LIMITS` is the only instance in production."""

    message_bytes: int = 65_536
    frame_bytes: int = 65_544  # of a gossip bundle: room for one message of the largest size
    items: int = 1_024  # of a consent
    purposes: int = 16  # of a consent
    parties: int = 16  # of a consent
    words: int = 64  # of a revocation
    scopes: int = 16  # of a revocation
    scope_bytes: int = 200
    domain_bytes: int = 100  # of `via`
    purpose_chars: int = 32
    terms_uri_bytes: int = 2_048
    validity_s: int = 315_619_200  # 3,653 days: ten years with three leap days
    recheck_hours: int = 8_760  # of a consent
    removal_days: int = 365  # of a consent
    clock_skew_s: int = 600  # how far ahead issuedAt may be
    wallet_signature_bytes: int = 8_192  # of a contract wallet
    tree_arity: int = 32
    hashes: int = 1_024  # of a statement
    heeded: int = 16  # addresses
    depth: int = 4  # sublicenses between a consent and a holder
    passed_by_signer: int = 16  # sublicenses that count, of a license by one signer to one grantee
    passed_to_grantee: int = 256  # sublicenses that count, of a license to one grantee
    traced_removals: int = 256  # of a holder of one license, which a trace looks at
    traced_disputes: int = 64  # of a license, which a trace shows
    dispute_s: int = 31_622_400  # 366 days
    nonce_bytes: int = 32  # of a question to a node
    chain_id: int = (1 << 53) - 1  # the largest integer that JSON and JavaScript hold exactly


LIMITS = Limits()
