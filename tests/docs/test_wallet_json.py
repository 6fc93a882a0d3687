"""Appendix B of the protocol shows the JSON that a wallet is given: that of the vectors."""

import json

from docs.markdown import ROOT, blocks

APPENDIX = (ROOT / "docs" / "protocol.md").read_text().split("\n## Appendix B. ")[1]
MESSAGES = json.loads((ROOT / "tests" / "vectors" / "messages.json").read_text())


def test_the_json_of_both_messages_is_that_of_the_vectors() -> None:
    shown = [json.loads(block.text) for block in blocks(APPENDIX) if block.info == "json"]
    assert [one["primaryType"] for one in shown] == ["Consent", "Revocation"]
    by_name = {one["name"]: one["typed_data"] for one in MESSAGES}
    named = [name for name in by_name if f"`{name}`" in APPENDIX]
    assert [by_name[name] for name in named] == shown
