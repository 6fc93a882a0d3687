"""Makes the vectors beside this file: what another implementation checks itself against.

docs/protocol.md, section 12, says what they hold. Renew them with `PYTHONPATH=tests python -m
vectors.make`; a change of any byte is a change of the protocol.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sayso_protocol.encoding.merkle import content_root, tree_path, tree_root
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import (
    Scope,
    agreement_subject,
    file_subject,
    scope_word,
    to_subject,
)
from sayso_protocol.permissions.words import FULL
from sayso_protocol.primitives import ANYONE, hex_text, sha256
from sayso_protocol.signatures.contract_wallets import WalletProof, wrap
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    NODE,
    WALLETS,
    a_consent,
    item_hashes,
    signed,
)
from vectors import neighbours
from vectors.chain_proofs import chain_proofs
from vectors.chains import chains
from vectors.disputes import disputes
from vectors.ed25519 import ed25519
from vectors.evidence import evidence
from vectors.frames import bundles
from vectors.histories import verdict_cases
from vectors.holders import statements_of_holders
from vectors.landings import landings
from vectors.refused import refused_cases
from vectors.salts import salts
from vectors.snapshots import snapshots
from vectors.statements import row_trees, statements
from vectors.sync import sync
from vectors.texts import texts
from vectors.traces import traces

FOLDER = Path(__file__).parent
Json = dict[str, Any]
PAIR = tuple(sorted([ADA, BEN]))


def word_text(word: int) -> str:
    """A word or mask as 64 hexadecimal digits."""
    return hex_text(word.to_bytes(32))


def _consents() -> dict[str, Envelope]:
    few, many = item_hashes(3), item_hashes(70)
    longest = tuple(f"p{number:02}" for number in range(16))
    cases = {
        "ordinary": (a_consent(few), few),
        "anyone, no marketplace": (a_consent(few, grantee=ANYONE, via=""), few),
        "call with guardian": (a_consent(few, parties=PAIR, guardian=CLEO, contributor=BEN), few),
        "terms, several words": (
            a_consent(
                many, purposes=longest, terms=sha256(b"terms"), terms_uri="https://kled.ai/terms/1"
            ),
            many,
        ),
        "the shortest clocks": (a_consent(few, recheck_hours=1, removal_days=1), few),
        "the longest clocks": (a_consent(few, recheck_hours=8_760, removal_days=365), few),
    }
    made = {name: signed(*case).sponsored_by(NODE) for name, case in cases.items()}
    return made | neighbours.consents()


def _revocations() -> dict[str, Envelope]:
    masks = a_consent(item_hashes(3)).masks([1], ["train-ai"])
    ward = Scope("everything", "likeness-synthesis", ADA).text
    license_ = agreement_subject(a_consent(item_hashes(3)).agreement)
    cases = {
        "everything": Revocation(ADA, ("everything",)),
        "a whole license": Revocation(ADA, (license_,)),
        "nobody gets it through this company": Revocation(ADA, (to_subject(BEN),)),
        "one permission": Revocation(ADA, (), tuple(masks), tuple(masks.values())),
        "guardian": Revocation(CLEO, (ward,)),
        "scopes and words": Revocation(
            BEN, ("via kled.ai", "everything for train-ai"), (0, 64), (FULL, 5)
        ),
    }
    abroad = {
        "signed on another chain": signed(
            Revocation(ADA, ("via neon.example",), (128,), (1,)), network=Network(1, NETWORK.registry)
        ),
        "under the largest chain id": signed(
            Revocation(BEN, ("everything for resale",)),
            network=Network(LIMITS.chain_id, NETWORK.registry),
        ),
    }
    return {name: signed(case) for name, case in cases.items()} | abroad | neighbours.revocations()


def _message(name: str, envelope: Envelope) -> Json:
    message = envelope.message
    known = (
        {"agreement": hex_text(message.agreement), "base": word_text(message.base)}
        if isinstance(message, Consent)
        else {}
    )
    return {
        "name": name,
        "private_key": hex_text(WALLETS[message.signer].secret),
        "typed_data": typed_data(message, envelope.network),
        "digest": hex_text(envelope.digest),
        "signature": hex_text(envelope.signature),
        "items": [hex_text(item) for item in envelope.items],
        **known,
        "envelope": hex_text(encode(envelope)),
    }


def messages() -> list[Json]:
    """Valid messages."""
    return [_message(name, one) for name, one in (_consents() | _revocations()).items()]


def wallets() -> list[Json]:
    """Signatures of contract wallets, and what the wallet is to be asked (rule 4.4)."""
    own = WalletProof(b"\1" * 66)
    wrapped = {
        "deployed, signs 65 bytes": WalletProof(b"\1" * 65),
        "deployed, signs nothing": WalletProof(b""),
        "not yet deployed, by a call without data": WalletProof(b"\1" * 65, CLEO, b""),
        "of 8,192 bytes": WalletProof(b"\1" * (8_192 - 224), CLEO, b""),
        "not yet deployed": WalletProof(b"\1" * 100, CLEO, b"deploy"),
    }
    cases = [("its own", own.signature, own), *((name, wrap(one), one) for name, one in wrapped.items())]
    return [
        {
            "name": name,
            "signature": hex_text(signature),
            "factory": hex_text(proof.factory),
            "deployment": hex_text(proof.deployment),
            "signature_of_wallet": hex_text(proof.signature),
        }
        for name, signature, proof in cases
    ]


def scopes() -> list[Json]:
    """Sentences and the words whose bit 0 they set."""
    item = item_hashes(1)[0]
    subjects = ["everything", "via kled.ai", file_subject(item)]
    subjects += [agreement_subject(a_consent(item_hashes(3)).agreement), to_subject(BEN)]
    own = ["statement " + hex_text(item), "statements", "statements " + to_subject(BEN)]
    texts = [
        Scope(subject, purpose, ward).text
        for subject in subjects
        for purpose in (None, "train-ai")
        for ward in (None, ADA)
    ] + [Scope(subject).text for subject in own]
    return [{"scope": text, "word": word_text(scope_word(text))} for text in texts]


def trees() -> Json:
    """Roots of the trees; leaf and item number i of n are named by the ASCII text in `data`."""
    items = [(count, item_hashes(count)) for count in (1, 2, 32, 33, 1_024)]
    leaves = [[b"leaf %d" % index for index in range(count)] for count in (0, 1, 2, 3, 7, 8)]
    return {
        "items": {
            "data": "SHA-256 of `item 0 {i}`",
            "roots": {str(count): hex_text(content_root(one)) for count, one in items},
        },
        "rfc9162": {
            "data": "`leaf {i}`",
            "trees": [
                {
                    "count": len(one),
                    "root": hex_text(tree_root(one)),
                    "paths": [
                        [hex_text(step) for step in tree_path(one, index)] for index in range(len(one))
                    ],
                }
                for one in leaves
            ],
        },
        "rows": row_trees(),
    }


FILES: dict[str, Callable[[], Any]] = {
    "messages.json": messages,
    "wallets.json": wallets,
    "scopes.json": scopes,
    "trees.json": trees,
    "statements.json": statements,
    "ed25519.json": ed25519,
    "salts.json": salts,
    "refused.json": refused_cases,
    "bundles.json": bundles,
    "texts.json": texts,
    "evidence.json": evidence,
    "sync.json": lambda: sync(_consents() | _revocations()),
    "verdicts.json": verdict_cases,
    "chains.json": chains,
    "disputes.json": disputes,
    "snapshots.json": snapshots,
    "landings.json": landings,
    "chain_proofs.json": chain_proofs,
    "holders.json": statements_of_holders,
    "traces.json": traces,
}


def render(name: str) -> str:
    """The text of one file."""
    return json.dumps(FILES[name](), indent=1) + "\n"


if __name__ == "__main__":
    for name in FILES:
        (FOLDER / name).write_text(render(name))
