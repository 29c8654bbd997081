"""What a visit found, at rest: encrypted whole, since names and illnesses stand in it."""

from shared import crypto

_FINDINGS = "registry.visit_findings"


def seal_findings(findings: str) -> bytes:
    """Findings, encrypted."""
    return crypto.encrypt(findings.strip(), purpose=_FINDINGS)


def show_findings(sealed: bytes) -> str:
    """Findings as written."""
    return crypto.decrypt(sealed, purpose=_FINDINGS)
