"""The questions in the code by which a node asks contract wallets: one, or many in one call."""

from sayso_contracts.registry.artifact import wallet_probe_code

HEAD, EACH, END = 13, 33, 7  # bytes of the code before, for each question, and after
PUSH3 = 0x62


def questions_in(code: bytes) -> list[bytes]:
    """The encoded arguments of each question, in order."""
    probe = wallet_probe_code()
    if code.startswith(probe):
        return [code[len(probe) :]]
    assert code[0] == code[4] == PUSH3
    count = (int.from_bytes(code[5:8]) - HEAD - END) // EACH
    found = []
    for number in range(count):
        at = HEAD + EACH * number
        size, place = (int.from_bytes(code[at + one : at + one + 3]) for one in (1, 5))
        found.append(code[place : place + size])
    return found
