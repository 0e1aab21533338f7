"""What a mechanism may have: a file that proves a whole chain to somebody who has neither the chain nor its data."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from protocol.mechanism import Mechanism
from protocol.mechanisms import list_mechanisms
from simulation.foundation import MIB, SimulationError, find_part, read_json, show_value
from simulation.records import write_text_in_one_step

MOST_BYTES: Final = 256 * MIB
"""A longer file is refused before it is read. One with 20 nodes takes some 13 KiB a block."""


class CertificateFileError(SimulationError, ValueError):
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
        size = path.stat().st_size
        if size > MOST_BYTES:
            most = f"{MOST_BYTES // MIB} MiB"
            raise CertificateFileError(f"{path}: no certificate: it has {size:,} bytes, and {most} is the most")
        text = path.read_text("utf-8")
    except OSError as error:
        raise CertificateFileError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CertificateFileError(f"{path}: no certificate: byte {error.start + 1} is not UTF-8 text") from None
    try:
        told = read_json(text)
    except ValueError as error:
        raise CertificateFileError(f"{path}: no certificate: {error}") from None
    if not isinstance(told, dict) or "certificate" not in told or not isinstance(told.get("mechanism"), str):
        raise CertificateFileError(
            f"{path}: no certificate: the folder of a run of version 2 of the rules has one, certificate.json"
        )
    if told["mechanism"] not in list_mechanisms():
        name = show_value(told["mechanism"])
        raise CertificateFileError(f"{path}: of the mechanism {name}, which is not known here")
    return find_certificates(told["mechanism"]).check(told)
