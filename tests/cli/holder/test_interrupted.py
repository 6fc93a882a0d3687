"""Nothing that was signed is lost, and nothing is signed twice, however a command ends."""

from pathlib import Path
from typing import Any

import pytest

from cli.holder.conftest import Company, many
from sayso.contributor.licensing import sign_message
from sayso.errors import SignerFailed
from sayso.holder import signed_folder
from sayso.node_client import client
from sayso_protocol.messages.message import Message
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text

HASHES = many(3_000)  # three messages


def use(company: Company, *more: object) -> tuple[object, ...]:
    name = company.listed(HASHES)
    return "use", "--licenses", name, "--purpose", "train-ai", *company.key, *more


def named(company: Company) -> list[bytes]:
    """What the statements at the node name."""
    return sorted(one for envelope in company.sent for one in envelope.items)


def failing_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A signer that refuses after some signatures."""
    left = [count]

    def refusing(account: Any, message: Message, network: Network, items: Any) -> Any:
        if not left[0]:
            raise SignerFailed("refused by its owner")
        left[0] -= 1
        return sign_message(account, message, network, items)

    monkeypatch.setattr(signed_folder, "sign_message", refusing)


def test_a_signer_that_stops_loses_no_signature(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        failing_after(patched, 2)
        result = company.world.fails("signer-failed", *use(company, "--keep", "run"))
    assert "continue with the same command and --keep" in result.stderr
    first = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    assert len(first) == 2
    assert not company.sent, "nothing is sent before all is signed"
    result = company.world.run(*use(company, "--keep", "run"))
    assert "already signed: 2 of 3 messages" in result.stderr
    after = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    assert len(after) == 3
    assert first.items() <= after.items(), "what was signed is not signed again"
    assert named(company) == sorted(HASHES)
    assert len({one.message.used_at for one in company.sent}) == 1  # type: ignore[attr-defined]


def test_a_node_that_does_not_answer_loses_nothing(company: Company) -> None:
    dead = ("--node", "http://127.0.0.1:1", "--keep", "run")
    result = company.world.fails("node-unreachable", *use(company, *dead))
    assert "sayso submit run" in result.stderr
    assert not company.sent
    company.world.run("submit", "run")
    assert named(company) == sorted(HASHES)


def test_a_node_that_breaks_off_is_asked_again_for_all(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MESSAGES", 1)
    answers: list[Any] = []

    def breaking_off(route: str, answer: Any) -> Any:
        if route != "messages":
            return answer
        answers.append(answer)
        return "nonsense" if len(answers) == 2 else answer

    company.node.twist = breaking_off
    result = company.world.fails("bad-answer", *use(company, "--keep", "run"))
    assert "sayso submit run" in result.stderr
    assert len(company.sent) == 2
    company.world.run(*use(company, "--keep", "run"))
    assert named(company) == sorted(HASHES)
    assert len(company.sent) == 3


def test_sending_again_is_idempotent(company: Company) -> None:
    company.world.run(*use(company, "--keep", "run"))
    before = dict(company.node.memory.envelopes)
    company.world.run(*use(company, "--keep", "run"))
    result = company.world.run("submit", "run")
    assert result.stdout.count("(already known)") == 3
    assert company.node.memory.envelopes == before


def test_a_folder_is_new_unless_it_is_named(company: Company) -> None:
    company.world.run(*use(company))
    (folder,) = Path().glob("use-*")
    assert len(list(folder.iterdir())) == 3


def test_a_folder_of_other_messages_is_left_alone(company: Company) -> None:
    company.world.run(*use(company, "--keep", "run"))
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    company.world.fails("other-statements", *use(company, "--keep", "run", "--run", "another"))
    name = company.listed(many(3), "other.txt")
    other = ("use", "--licenses", name, "--purpose", "train-ai", *company.key, "--keep", "run")
    company.world.fails("other-statements", *other)
    company.world.write("file", b"x")
    company.world.fails("output-failed", *use(company, "--keep", "file"))
    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before


def test_a_forged_message_in_the_folder_is_refused(company: Company) -> None:
    company.world.run(*use(company, "--save", "run"))
    path = next(Path("run").iterdir())
    data = bytearray(path.read_bytes())
    data[data.index(company.address)] ^= 1
    path.write_bytes(data)
    company.world.fails("bad-signature", *use(company, "--save", "run"))
    assert not company.sent


def test_saved_and_sent_are_not_one(company: Company) -> None:
    company.world.run(*use(company, "--save", "run", "--keep", "run"), status=2)
    assert not Path("run").exists()


def test_saved_is_not_sent(company: Company) -> None:
    result = company.world.run(*use(company, "--save", "run", "--node", "http://127.0.0.1:1"))
    assert "not sent" in result.stderr
    assert result.stdout.count("use 0x") == 3
    assert not company.sent


def test_what_the_node_may_drop_is_an_error(company: Company) -> None:
    def pending(route: str, answer: Any) -> Any:
        if route == "messages":
            return {"results": [one | {"status": "pending"} for one in answer["results"]]}
        return answer

    company.node.twist = pending
    result = company.world.fails("not-kept", *use(company, "--keep", "run"))
    assert result.stdout.count("does not know that the signer holds the licenses") == 3
    assert "sayso submit run" in result.stderr
    dispute = ("dispute", "--item", hex_text(HASHES[0]), "--code", "voice", "--until", "1d")
    result = company.world.fails("not-kept", *dispute, *company.key)
    assert "does not heed the signer" in result.stdout


def test_what_is_for_endorsement_does_not_pass_for_signed(company: Company) -> None:
    name = company.listed(many(3))
    ask = ("use", "--licenses", name, "--purpose", "train-ai", "--yes")
    mine = ("--account", company.world.account.address, "--endorse", "--save", "run")
    company.world.run(*ask, *mine)
    company.world.fails("other-statements", *ask, "--key", company.world.key, "--keep", "run")
    assert not company.sent
    company.world.run(*ask, "--key", company.world.key, "--save", "signed")
    company.world.fails("other-statements", *ask, *mine[:-1], "signed")
