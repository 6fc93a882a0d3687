"""Random messages that keep every rule, and the keys to sign them: what tests of all parts draw from.

Private keys are hashes of fixed names, so every failure can be repeated.
"""

from coincurve import PrivateKey
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.purposes import KNOWN
from sayso_protocol.permissions.scopes import (
    SCOPE_FLAG,
    Scope,
    agreement_subject,
    file_subject,
    to_subject,
)
from sayso_protocol.permissions.words import FULL, Masks
from sayso_protocol.primitives import ADDRESS_BYTES, ANYONE, HASH_BYTES, hex_text, keccak, sha256
from sayso_protocol.verdicts.verdict import License

NETWORK = Network(31337, keccak(b"registry")[12:])
NODE = SigningKey(sha256(b"sayso test node"))
LATEST = 253_402_300_799


def wallet(name: str) -> PrivateKey:
    """The wallet key of this name."""
    return PrivateKey(keccak(name.encode()))


def address_of(key: PrivateKey) -> bytes:
    """The address of a wallet key (last 20 bytes of the hashed public key)."""
    return keccak(key.public_key.format(compressed=False)[1:])[12:]


WALLETS = {address_of(key): key for key in map(wallet, ("ada", "ben", "cleo"))}
ADA, BEN, CLEO = WALLETS


def sign_digest(key: PrivateKey, value: bytes) -> bytes:
    """A wallet's 65 bytes over a digest (rule 4.4)."""
    signature = key.sign_recoverable(value, hasher=None)
    return signature[:64] + bytes([signature[64] + 27])


def signed(message: Message, items: tuple[bytes, ...] = (), network: Network = NETWORK) -> Envelope:
    """The envelope of a message of one of WALLETS."""
    signature = sign_digest(WALLETS[message.signer], digest(message, network))
    return Envelope(message, network, signature, items)


def item_hashes(count: int, seed: int = 0) -> tuple[bytes, ...]:
    """Different item hashes."""
    return tuple(sha256(f"item {seed} {index}".encode()) for index in range(count))


def a_consent(items: tuple[bytes, ...], /, **changes: object) -> Consent:
    """An ordinary consent of Ada on these items, with some fields changed."""
    values: dict[str, object] = {
        "contributor": ADA,
        "parties": (ADA,),
        "grantee": BEN,
        "via": "kled.ai",
        "content": content_root(items),
        "items": len(items),
        "purposes": ("evaluate", "train-ai"),
        "terms": bytes(HASH_BYTES),
        "terms_uri": "",
        "guardian": bytes(ADDRESS_BYTES),
        "issued_at": 1_700_000_000,
        "expires_at": 1_800_000_000,
        "recheck_hours": 168,
        "removal_days": 30,
    }
    return Consent(**(values | changes))  # type: ignore[arg-type]


def full_words(consent: Message) -> Masks:
    """All bits of each word of a consent."""
    terms = as_kind(consent, Consent)
    return dict.fromkeys(terms.masks(range(terms.items), terms.purposes), FULL)


addresses = st.binary(min_size=ADDRESS_BYTES, max_size=ADDRESS_BYTES).filter(any)
hashes = st.binary(min_size=HASH_BYTES, max_size=HASH_BYTES)
chain_ids = st.integers(1, LIMITS.chain_id)
networks = st.builds(Network, chain_ids, addresses)
purposes = st.sampled_from(sorted(KNOWN)) | st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)
_labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
domains = st.lists(_labels, min_size=2, max_size=4).map(".".join)
item_lists = st.builds(item_hashes, st.integers(1, 40), st.integers(0, 9))
_uri_tails = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="?#"),
    min_size=1,
    max_size=40,
)
uris = st.just("") | _uri_tails.map("https://".__add__)
subjects = (
    st.just("everything")
    | domains.map("via {}".format)
    | hashes.map(file_subject)
    | hashes.map(agreement_subject)
    | addresses.map(to_subject)
)
of_statements = (
    st.just("statements")
    | hashes.map(lambda one: "statement " + hex_text(one))
    | addresses.map(lambda one: "statements " + to_subject(one))
)
scopes = st.builds(Scope, subjects, st.none() | purposes, st.none() | addresses) | st.builds(
    Scope, of_statements
)
carried = scopes.map(lambda scope: scope.text) | st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=LIMITS.scope_bytes
)
words = st.integers(0, SCOPE_FLAG - 1)
masks = st.integers(1, FULL)


@st.composite
def licenses(draw: st.DrawFn, contributors: st.SearchStrategy[bytes] = addresses) -> License:
    """A valid consent with its items."""
    items = draw(item_lists)
    contributor = draw(contributors)
    others = draw(st.lists(addresses, max_size=3))
    issued_at = draw(st.integers(0, LATEST - 1))
    longest = min(LIMITS.validity_s, LATEST - issued_at)
    consent = Consent(
        contributor=contributor,
        parties=tuple(sorted({contributor, *others})),
        grantee=draw(st.just(ANYONE) | addresses),
        via=draw(st.just("") | domains),
        content=content_root(items),
        items=len(items),
        purposes=tuple(sorted(draw(st.sets(purposes, min_size=1, max_size=5)))),
        terms=draw(hashes),
        terms_uri=draw(uris),
        guardian=draw(st.just(bytes(ADDRESS_BYTES)) | addresses),
        issued_at=issued_at,
        expires_at=issued_at + draw(st.integers(1, longest)),
        recheck_hours=draw(st.integers(1, LIMITS.recheck_hours)),
        removal_days=draw(st.integers(1, LIMITS.removal_days)),
    )
    return License(consent, items)


@st.composite
def revocations(draw: st.DrawFn, contributors: st.SearchStrategy[bytes] = addresses) -> Revocation:
    """A valid revocation of scopes, words, or both."""
    sentences = draw(st.lists(carried, max_size=4))
    rows = draw(st.lists(st.tuples(words, masks), min_size=0 if sentences else 1, max_size=6))
    return Revocation(
        draw(contributors),
        tuple(sentences),
        tuple(word for word, _ in rows),
        tuple(mask for _, mask in rows),
    )


_signers = st.sampled_from(sorted(WALLETS))


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    """A rightly signed envelope, of a consent with or without sponsor or of a revocation."""
    if draw(st.booleans()):
        return signed(draw(revocations(_signers)), network=draw(networks))
    held = draw(licenses(_signers))
    envelope = signed(held.consent, held.items, draw(networks))
    return envelope.sponsored_by(NODE) if draw(st.booleans()) else envelope
