"""What can go wrong on the user's side, beyond what can be wrong with a message."""

from sayso_protocol.errors import SaysoError


class ExtraMissing(SaysoError):
    """An optional part is not installed."""

    code = "extra-missing"


class NodeUnreachable(SaysoError):
    """The node did not answer, or not in time."""

    code = "node-unreachable"


class NodeRefused(SaysoError):
    """The node refused the request; the sentence gives its own code and reason."""

    code = "node-refused"


class BadAnswer(SaysoError):
    """The node's answer is not what a Sayso node says: nothing in it was used."""

    code = "bad-answer"


class NoReceipt(SaysoError):
    """The node answered the check without a signed receipt, so nobody vouches for the answer."""

    code = "no-receipt"


class ReceiptNotFresh(SaysoError):
    """The receipt is dated more than ten minutes before or after this machine's clock."""

    code = "receipt-not-fresh"


class NotAcknowledged(SaysoError):
    """The node took the revocation, but did not sign for keeping it."""

    code = "not-acknowledged"


class WrongPassword(SaysoError):
    """The password does not open the key file."""

    code = "wrong-password"


class KeyExists(SaysoError):
    """There is a file under this name already; a key is never overwritten."""

    code = "key-exists"


class BadKeyFile(SaysoError):
    """The key file is missing, unreadable or not an encrypted keystore (version 3)."""

    code = "bad-key-file"


class SignerFailed(SaysoError):
    """The external signer did not answer, refused, or has not the account that is needed."""

    code = "signer-failed"


class FileUnreadable(SaysoError):
    """A file is missing, may not be read, or is not a regular file."""

    code = "file-unreadable"


class NothingToGrant(SaysoError):
    """There is no file in the paths given."""

    code = "nothing-to-grant"


class NothingToRevoke(SaysoError):
    """The license has no such file or purpose, or nothing was named to be revoked."""

    code = "nothing-to-revoke"


class NothingToExport(SaysoError):
    """The file holds no consent, or several and none of them was named."""

    code = "nothing-to-export"


class BadManifest(SaysoError):
    """A line of the manifest is not a row with a license and an item, or there is no row at all."""

    code = "bad-manifest"


class ManifestChanged(SaysoError):
    """The manifest changed while it was being checked."""

    code = "manifest-changed"


class OutputFailed(SaysoError):
    """A file could not be written; what had been written of it was removed."""

    code = "output-failed"


class OutputIsInput(SaysoError):
    """An output is named where an input is, or inside a folder that is one: nothing was touched."""

    code = "output-is-input"


class NothingToAsk(SaysoError):
    """A gate was given nobody to ask: no node, no snapshot, or snapshots without the consents."""

    code = "nothing-to-ask"


class NotClear(SaysoError):
    """A sample that may not be used was asked for."""

    code = "not-clear"


class NoSnapshot(SaysoError):
    """The node has no snapshot yet, or none but older ones than the file at hand."""

    code = "no-snapshot"


class SampleMissing(SaysoError):
    """The sample files are not where the package keeps them."""

    code = "sample-missing"
