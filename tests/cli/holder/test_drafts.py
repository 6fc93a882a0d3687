"""Statements in messages of 1,024 hashes, each valid by itself, and what they make public."""

from dataclasses import replace

import pytest

from cli.holder.conftest import many
from sayso.errors import OtherStatements
from sayso.holder.drafts import NOTHING, Draft, Statement, becomes_public
from sayso.holder.hashes import sorted_once
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.errors import InvalidStatement
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, Dispute, contributor_hash
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import address_text
from support.protocol_strategies import ADA, BEN

USE = Use(ADA, NOTHING, 1, "train-ai", "run-7", b"\x07" * 32, 1_750_000_000)
REMOVAL = Removal(ADA, NOTHING, 1, 77, NOTHING)
SUBLICENSE = Sublicense(ADA, NOTHING, 1, b"\x09" * 32, BEN, ("train-ai",), NOTHING, "", 1, 2)
DISPUTE = Dispute(ADA, NOTHING, 1, "files", "voice", 1, 2)


@pytest.mark.parametrize(
    ("count", "parts"), [(1, [1]), (1_024, [1_024]), (1_025, [1_024, 1]), (2_048, [1_024] * 2)]
)
def test_there_are_as_few_messages_as_possible(count: int, parts: list[int]) -> None:
    draft = Draft(USE, sorted_once(many(count)))
    made = list(draft.messages())
    assert draft.count == len(made)
    assert [message.count for message, _ in made] == parts
    assert [one for _, hashes in made for one in hashes] == sorted(many(count))
    for message, hashes in made:
        assert message.content == content_root(hashes)
        assert replace(message, content=NOTHING, count=1) == USE


def test_a_contributor_is_an_address() -> None:
    template = replace(DISPUTE, subject=CONTRIBUTORS)
    ((message, _),) = Draft(template, (contributor_hash(BEN),)).messages()
    assert message.count == 1
    for wrong in (many(1)[0], contributor_hash(bytes(20))):
        with pytest.raises(InvalidStatement):
            list(Draft(template, (wrong,)).messages())


def test_what_is_signed_is_not_signed_again() -> None:
    draft = Draft(USE, sorted_once(many(2_500)), frozenset({"used_at"}))
    first, second, third = draft.messages()
    rest = draft.without([third, first])
    assert list(rest.messages()) == [second]
    assert not draft.without([first, second, third]).hashes


def test_the_rest_says_the_same_moment() -> None:
    early = Draft(USE, sorted_once(many(1_100)), frozenset({"used_at"}))
    late = replace(early, template=replace(USE, used_at=USE.used_at + 900))
    first, second = early.messages()
    assert list(late.without([first]).messages()) == [second]


@pytest.mark.parametrize(
    "held",
    [
        replace(USE, purpose="evaluate"),
        replace(USE, run="run-8"),
        replace(USE, signer=BEN),
        replace(USE, record=NOTHING),
        replace(USE, used_at=5),
        REMOVAL,
    ],
)
def test_other_words_are_not_continued(held: Statement) -> None:
    draft = Draft(USE, sorted_once(many(3)))  # its moment was given, so it must be the same
    with pytest.raises(OtherStatements, match="something else"):
        draft.without([next(Draft(held, draft.hashes).messages())])


def test_other_licenses_are_not_continued() -> None:
    draft = Draft(USE, sorted_once(many(3)))
    with pytest.raises(OtherStatements, match="other licenses"):
        draft.without([next(Draft(USE, sorted_once(many(4))).messages())])


def test_every_field_that_tells_something_is_said_to_be_public() -> None:
    """Customers, volumes and the names of runs (design: what a statement reveals)."""

    def told(template: Statement, count: int = 2) -> str:
        return "\n".join(becomes_public(Draft(template, sorted_once(many(count)))))

    assert "customer" in told(SUBLICENSE)
    assert address_text(BEN) in told(SUBLICENSE)
    assert "how many" in told(SUBLICENSE)
    assert "parent" in told(SUBLICENSE)
    assert "parent" not in told(replace(SUBLICENSE, parent=NOTHING))
    assert "run-7" in told(USE)
    assert "train-ai" in told(USE)
    assert "record" in told(USE)
    assert "run" not in told(replace(USE, run="", record=NOTHING)).replace("shown", "")
    assert "belong together" in told(USE, 1_025)
    assert "belong together" not in told(USE, 1_024)
    assert "you held" in told(REMOVAL)
    assert "voice" in told(DISPUTE)
    assert "a person whom these files show" in told(DISPUTE)
    assert "these files" not in told(replace(DISPUTE, subject=CONTRIBUTORS))
