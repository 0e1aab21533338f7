"""What a mechanism may have: a file that proves a whole chain to somebody who has neither the chain nor its data."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from protocol.mechanism import Mechanism
from simulation.foundation import find_part
from simulation.records import write_text_in_one_step


class CertificateFileError(ValueError):
    """A file is no certificate that could be checked; the text says why."""


class Certificates:
    """Certificates of a mechanism; one that has none has no need of more."""

    def build(self, mechanism: Mechanism, blocks: Iterable[bytes]) -> str | None:
        """Return the text of the certificate of a chain; None where there is none."""
        return None

    def write(self, path: Path, mechanism: Mechanism, blocks: Iterable[bytes]) -> None:
        """Write the certificate of a chain, if there is one."""
        text = self.build(mechanism, blocks)
        if text is not None:
            write_text_in_one_step(path, text)

    def check(self, told: dict[str, Any]) -> list[str]:
        """Return what a certificate proves, a line for each fact.

        Raises:
            ValueError: It proves nothing.
        """
        raise ValueError("this mechanism has no certificates")


def find_certificates(name: str) -> Certificates:
    """Return the certificates of a mechanism."""
    kind: type[Certificates] = find_part(name, "certificates") or Certificates
    return kind()


def check_certificate_file(path: Path) -> list[str]:
    """Return what a file proves, a line for each fact.

    Raises:
        CertificateFileError: It is no certificate.
        ValueError: It is one, and proves nothing.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CertificateFileError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CertificateFileError(f"{path}: no certificate: it is not JSON") from None
    if not isinstance(told, dict) or "certificate" not in told or not isinstance(told.get("mechanism"), str):
        raise CertificateFileError(f"{path}: no certificate: a run's folder has one under the name certificate.json")
    return find_certificates(told["mechanism"]).check(told)
