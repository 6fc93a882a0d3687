"""What a person signs: one of the kinds of messages."""

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation

Message = Consent | Revocation
