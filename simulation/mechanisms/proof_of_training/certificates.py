"""``certificate.json``: a delivery certificate as a file, and what it proves in words."""

import json
from collections.abc import Iterable
from typing import Any, Final

from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_training.certificate import CertificateError, Delivery, check_certificate, strip
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining, as_training
from protocol.rules import Rules
from protocol.stamps import MAX_STAMP_BITS
from protocol.types import PARTS_PER_MILLION
from simulation.foundation import find_differences, show_value
from simulation.runs import Certificates

FORMAT: Final = 1
"""Number of the format, which the file begins with."""


_KEYS: Final = ("certificate", "mechanism", "chain_id", "genesis", "stamp_bits", "blocks")


class TrainingCertificates(Certificates):
    """Certificates of chains of version 2 of the rules; those of version 1 have none."""

    def build(self, mechanism: Mechanism, blocks: Iterable[bytes]) -> str | None:
        """Return the text of the certificate of a whole job; None where a block is missing, or for version 1."""
        pot = as_training(mechanism)
        rules = Rules(pot)
        chain = [rules.decode_block(block) for block in blocks]
        if not pot.has_repairs or len(chain) < rules.chain.length:
            return None
        told = {
            "certificate": FORMAT,
            "mechanism": pot.name,
            "chain_id": rules.chain_id.hex(),
            "genesis": pot.encode_genesis().hex(),
            **({"stamp_bits": pot.stamp_bits} if pot.stamp_bits else {}),
            "blocks": [self._describe(rules, block) for block in chain],
        }
        return json.dumps(told, indent=1) + "\n"

    def _describe(self, rules: Rules, block: Any) -> dict[str, Any]:  # noqa: ANN401 - of this mechanism
        header = block.header
        return {
            "height": block.height,
            "hash": rules.hash_message(block).hex(),
            "weights_digest": header.weights_digest.hex(),
            "proposer": header.author.hex(),
            "declarations": len(header.declarations),
            "bytes": rules.encode(strip(block)).hex(),
        }

    def check(self, told: dict[str, Any]) -> list[str]:
        """Return what a certificate proves, a line for each fact.

        Raises:
            ValueError: It proves nothing.
        """
        number = told.get("certificate")
        if type(number) is not int or number != FORMAT:  # true and 1.0 are equal to 1
            raise CertificateError(f"its format is {show_value(number)}, and only {FORMAT} is known here")
        for name in told:
            if name not in _KEYS:
                raise CertificateError(f"the key {show_value(name)} is none of a certificate's: {', '.join(_KEYS)}")
        agreed, written = _read_hexadecimal(told.get("genesis"), "genesis"), told.get("blocks")
        if not isinstance(written, list):
            raise CertificateError("blocks is missing or no list")
        bits = _read_bits(told)
        packed = [_read_block(block, place) for place, block in enumerate(written)]
        found = check_certificate(agreed, packed, stamp_bits=bits)
        self._compare(told, found, bits)
        job = ProofOfTraining.decode_genesis(agreed).genesis.job
        return [
            f"chain: {found.chain_id.hex()}; compare it with the one you know",
            f"job: {found.stages} stages on {show_value(job.dataset)}, data {job.dataset_digest.hex()[:12]}",
            f"weights: {found.weights_digest.hex()} after the last stage",
            f"declared: each stage by owners of {found.least_declared / PARTS_PER_MILLION:.1%} of all stake or more",
        ]

    def _compare(self, told: dict[str, Any], found: Delivery, bits: int) -> None:
        """Hold what stands there to be read against what the bytes say."""
        if told.get("chain_id") != found.chain_id.hex():
            raise CertificateError("chain_id is not what the genesis gives")
        rules = Rules(ProofOfTraining.decode_genesis(bytes.fromhex(told["genesis"])).ask_stamps(bits))
        for number, written in enumerate(told["blocks"]):
            given = self._describe(rules, rules.decode_block(bytes.fromhex(written["bytes"])))
            if any(find_differences(written, given)):
                raise CertificateError(f"blocks.{number} says something else than its bytes")


def _read_bits(told: dict[str, Any]) -> int:
    """Return what the chain asks of stamps; a certificate of one that asks for none does not say so."""
    bits = told.get("stamp_bits", 0)
    if type(bits) is not int or not 0 <= bits <= MAX_STAMP_BITS or (not bits and "stamp_bits" in told):
        raise CertificateError(f"stamp_bits is {show_value(bits)}, and not a number from 1 to {MAX_STAMP_BITS}")
    return bits


def _read_block(block: object, number: int) -> bytes:
    place = f"blocks.{number}"
    if not isinstance(block, dict):
        raise CertificateError(f"{place} is {show_value(block)}, and not what is told of a block")
    return _read_hexadecimal(block.get("bytes"), f"{place}.bytes")


def _read_hexadecimal(text: object, place: str) -> bytes:
    """Return bytes that are written in the one way in which a certificate has them."""
    if not isinstance(text, str):
        raise CertificateError(f"{place} is missing or no text")
    try:
        content = bytes.fromhex(text)
    except ValueError:
        content = None
    if content is None or content.hex() != text:
        raise CertificateError(f"{place} is no text of pairs of hexadecimal digits 0 to f: {show_value(text)}")
    return content
