"""What a message says, in plain sentences: who, what, until when, and whose signature is right.

Pure: bytes, a network file and the time in, sentences out. Nothing is believed on the way: a signature
is called right only after it was checked.

    explanation = explain(data, trusted, consents, now, most)
"""

from sayso.explain.explaining import explain, read_envelopes
from sayso.explain.sentences import Explanation

__all__ = ["Explanation", "explain", "read_envelopes"]
