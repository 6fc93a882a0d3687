"""A consent in the words of other vocabularies; denied wherever they have no word for what was granted.

They know no revocation, most of them no licensee and no end. So nothing is allowed in them that a
consent does not allow to everybody who may read it, and what is allowed is a copy of one moment.

    export("odrl", license, network, granted(license, now, revoked=False))
"""

from sayso.export.exporting import FORMATS, ExportableTerms, export, granted

__all__ = ["FORMATS", "ExportableTerms", "export", "granted"]
