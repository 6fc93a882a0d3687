"""Errors of the command and the library on the machine of a contributor or buyer."""

from sayso_protocol.errors import SaysoError


class ExtraMissing(SaysoError):
    """An optional dependency is not installed."""


class NodeUnreachable(SaysoError):
    """The node did not answer, or did not answer in time."""


class NotReady(SaysoError):
    """The node answers, but it is not ready to give current answers; the message says why."""


class NodeRefused(SaysoError):
    """The node refused the request; the message contains the node's code and reason."""


class NotHeld(NodeRefused):
    """The node does not hold what was asked for; another node may hold it."""


class BadAnswer(SaysoError):
    """The node's answer is malformed or does not match the request; none of it was used."""


class NoReceipt(SaysoError):
    """The node answered the check without a signed receipt."""


class ReceiptNotFresh(SaysoError):
    """The signed answer is older than the maximum age, or dated over ten minutes off this clock."""


class OtherNonce(SaysoError):
    """The signed answer repeats another nonce than the question, so it was given to another question."""


class NotAcknowledged(SaysoError):
    """The node accepted the revocation, but did not sign an acknowledgement."""


class NoTerminal(SaysoError):
    """The command has to ask something, and there is no terminal to ask on."""


class WrongPassword(SaysoError):
    """The password does not open the key file."""


class KeyExists(SaysoError):
    """A file of this name exists; a key file is never overwritten."""


class BadKeyFile(SaysoError):
    """The key file is missing, unreadable or not an encrypted keystore (version 3)."""


class SignerFailed(SaysoError):
    """The external signer did not answer, refused, or does not hold the account."""


class FileUnreadable(SaysoError):
    """A file is missing, cannot be read, or is not a regular file."""


class NothingToGrant(SaysoError):
    """The given paths contain no file."""


class NothingToRevoke(SaysoError):
    """The license does not contain the file or purpose, or the command names nothing to revoke."""


class NothingToExport(SaysoError):
    """The file holds no consent, or it holds several and the command selects none."""


class NothingToState(SaysoError):
    """The command names no license, file, contributor or statement."""


class BadList(SaysoError):
    """A line of a list is not a hash or an address."""


class OtherStatements(SaysoError):
    """The folder or file holds other signed messages than those of the command; nothing was changed."""


class NotLicensed(SaysoError):
    """A consent names another grantee, lacks `resale` or a purpose, or has ended; nothing was signed."""


class Displaced(SaysoError):
    """One more sublicense of a license to this buyer would end another one; nothing was signed."""


class NotKept(SaysoError):
    """The node holds a statement as pending, without a promise to keep it."""


class BadName(SaysoError):
    """A name of an organisation mixes scripts, or looks like another name or address."""


class BadManifest(SaysoError):
    """A line of the manifest does not name a license and an item, or the manifest has no rows."""


class BadSalts(SaysoError):
    """A line of a file of salts does not name an item and its salt; nothing was signed."""


class BytesDiffer(SaysoError):
    """A row names an item that is not the SHA-256 of the bytes it stands for; nothing was written."""


class BadPolicy(SaysoError):
    """The policy file is not one, or a check asks for less than the policy does; nothing was asked."""


class ManifestChanged(SaysoError):
    """The manifest changed while it was being checked."""


class OutputFailed(SaysoError):
    """A file could not be written; its incomplete output was removed."""


class OutputIsInput(SaysoError):
    """An output would replace an input, or lie inside an input folder; nothing was changed."""


class OtherFormat(SaysoError):
    """The name of an output says another format or compression than it would have; none was written."""


class NothingToAsk(SaysoError):
    """A gate has no source of answers: no node, no snapshot, or snapshots without the consents."""


class NotClear(SaysoError):
    """A program requested a sample that may not be used."""


class NotCovered(SaysoError):
    """No row of a check is clear, or not every clear row may be relied on at the time of the run."""


class NoSnapshot(SaysoError):
    """The node has no snapshot yet, or only snapshots older than the local file."""


class BadRecords(SaysoError):
    """A folder has no record of a check, or it is unclear which file is the data of one."""


class NotOfRun(SaysoError):
    """A file beside the record of a run cannot be read as the data of that run."""


class SampleMissing(SaysoError):
    """The sample files are missing from the installation."""


class LedgerFailed(SaysoError):
    """The shop's database failed or is full; nothing of the transaction was kept."""


class UnknownRequest(SaysoError):
    """The shop made no request for consent with this token, or the request is over."""


class ForeignOrigin(SaysoError):
    """The answer to a request for consent came from another site than the shop's; nothing was taken."""


class OtherConsent(SaysoError):
    """A consent is not what the shop asked for; nothing was taken."""


class WrongItem(SaysoError):
    """The shop keeps no file of an item, or the file with its salt is not the item."""


class NotInStock(SaysoError):
    """Something that is to be sold is not in stock for every purpose; nothing was signed."""


class DemoFailed(SaysoError):
    """A step of the demo did not give the expected result."""


class PortUnavailable(SaysoError):
    """The TCP port is in use, or this user may not listen on it."""
