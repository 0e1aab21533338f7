"""What a node by activity wants on record besides what the core says."""

import msgspec

from protocol.types import Hash32


class TemplateFound(msgspec.Struct, frozen=True):
    """The node has found a template."""

    height: int
    parent: Hash32
    template: Hash32
    target: int
