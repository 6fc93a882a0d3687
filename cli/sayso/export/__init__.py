"""Conversion of consents to other vocabularies; terms that they cannot express are denied.

The other vocabularies have no revocation, and most have no licensee and no expiry. An export therefore
allows only what the consent allows every reader of the export, and it describes one moment.

    export("odrl", license, network, granted(license, now, revoked=False))
"""

from sayso.export.exporting import FORMATS, ExportableTerms, export, granted

__all__ = ["FORMATS", "ExportableTerms", "export", "granted"]
