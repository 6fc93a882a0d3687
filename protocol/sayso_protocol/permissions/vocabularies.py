"""Purposes in the terms of other vocabularies, and the terms that a consent covers.

A term is covered only if the granted purposes include its whole meaning; a term without counterpart is
denied. docs/reference/purposes.md names the versions of the vocabularies, and docs/reference/export.md
repeats this table; a test compares both with it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from sayso_protocol.permissions.purposes import KNOWN


class Sign(StrEnum):
    """Sign compares a purpose with a term of another vocabulary."""

    SAME = "="
    NARROWER = "<"  # the purpose is narrower and covers only a part of the term
    WIDER = ">"  # the purpose is wider and covers the term
    OVERLAPS = "~"


class Term(NamedTuple):
    """Term is a term of another vocabulary, and how much of a purpose it covers."""

    sign: Sign
    name: str


class Counterparts(NamedTuple):
    """Counterparts holds the closest terms for one purpose."""

    cawg: tuple[Term, ...]
    aipref: tuple[Term, ...]
    dpv: tuple[Term, ...]
    odrl: tuple[Term, ...]


_SAME, _LESS, _MORE, _LIKE = Sign.SAME, Sign.NARROWER, Sign.WIDER, Sign.OVERLAPS
_USE: Final = (Term(_LESS, "odrl:use"),)
_GENERATIVE: Final = "cawg.ai_generative_training"

COUNTERPARTS: Final[Mapping[str, Counterparts]] = {
    "train-ai": Counterparts(
        (Term(_MORE, "cawg.ai_training"),), (), (Term(_SAME, "ai:ModelTraining"),), _USE
    ),
    "train-generative-ai": Counterparts(
        (Term(_LESS, _GENERATIVE),), (Term(_LESS, "train-ai"),), (Term(_LESS, "ai:ModelTraining"),), _USE
    ),
    "fine-tune": Counterparts(
        (Term(_LIKE, _GENERATIVE), Term(_LIKE, "cawg.ai_training")),
        (Term(_LIKE, "train-ai"),),
        (Term(_SAME, "ai:ModelFineTuning"),),
        _USE,
    ),
    "evaluate": Counterparts(
        (), (), (Term(_LIKE, "ai:TestingData"), Term(_LIKE, "ai:ValidationData")), _USE
    ),
    "inference": Counterparts((Term(_SAME, "cawg.ai_inference"),), (Term(_MORE, "ai-use"),), (), _USE),
    "data-mining": Counterparts(
        (Term(_LIKE, "cawg.data_mining"),), (), (Term(_LIKE, "ai:TextDataMining"),), _USE
    ),
    "likeness-synthesis": Counterparts(
        (), (), (Term(_LIKE, "ai:SpeechSynthesis"), Term(_LIKE, "ai:ContentGeneration")), _USE
    ),
    "biometric-identification": Counterparts((), (), (Term(_SAME, "ai:BiometricIdentification"),), _USE),
    "advertising": Counterparts((), (), (Term(_SAME, "dpv:Advertising"),), _USE),
    "research": Counterparts((), (), (Term(_LIKE, "dpv:ScientificResearch"),), _USE),
    "resale": Counterparts(
        (), (), (Term(_LESS, "dpv:SellDataToThirdParties"),), (Term(_LESS, "odrl:distribute"),)
    ),
}

Needs = Mapping[str, frozenset[str]]  # term -> the purposes that cover it together; none: never covered

CAWG: Final[Needs] = {
    "cawg.ai_generative_training": frozenset({"train-generative-ai", "fine-tune"}),
    "cawg.ai_inference": frozenset({"inference"}),
    "cawg.ai_training": frozenset({"train-ai"}),
    "cawg.data_mining": frozenset(),
}
AIPREF: Final[Needs] = {
    "train-ai": frozenset({"train-generative-ai", "fine-tune"}),
    "ai-use": frozenset({"inference"}),
    "search": frozenset(),
}


def covered(needs: Needs, granted: Iterable[str]) -> dict[str, bool]:
    """Return for each term of a vocabulary whether the granted purposes cover its whole meaning."""
    purposes = set(granted)
    return {term: bool(wanted) and wanted <= purposes for term, wanted in needs.items()}


def odrl_action(purpose: str) -> str:
    """Return the ODRL action that a published purpose narrows, without its prefix."""
    (term,) = COUNTERPARTS[purpose].odrl
    return term.name.removeprefix("odrl:")


def published(purposes: Iterable[str]) -> tuple[str, ...]:
    """Return the purposes with a published meaning; readers cannot look up the others."""
    return tuple(one for one in purposes if one in KNOWN)
