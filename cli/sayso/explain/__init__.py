"""Explanations of messages and statements in plain sentences.

The functions are pure: they take bytes, a network file and the time, and return sentences. A signature
is called right only after verification.

    explanation = explain(data, trusted, consents, now, most)
"""

from sayso.explain.explaining import explain, read_envelopes
from sayso.explain.sentences import Explanation

__all__ = ["Explanation", "explain", "read_envelopes"]
