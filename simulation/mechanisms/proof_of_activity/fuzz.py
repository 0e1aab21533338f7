"""Firing at a node by activity: templates that are worked for, and blocks that all have signed whom they draw."""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_activity.mechanism import as_activity
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock, Cosignature, Template
from protocol.mechanisms.proof_of_activity.work import compute_template_digest
from protocol.messages import AnyBlock
from simulation.commands.checks.fuzzing import Forge, Way, is_readable
from simulation.mechanisms.proof_of_work import WorkFuzz, find_nonce


class ActivityFuzz(WorkFuzz):
    """Works for templates that nobody honest would work for, and has owners sign whatever draws them."""

    def draw_sections(self, rng: Random) -> dict[str, Any]:
        """Return what a chain by work has, with a small group for each template."""
        sections = super().draw_sections(rng)
        drawn = rng.randint(1, 3)
        return {**sections, "mechanism": {**sections["mechanism"], "drawn": drawn, "needed": rng.randint(1, drawn)}}

    def list_ways(self, forge: Forge) -> Sequence[Way]:
        """Return templates besides blocks."""
        return (*super().list_ways(forge), Way("template made good again", 6, lambda: self._remine(forge)))

    def complete(self, forge: Forge, parent: ChainRecord, block: AnyBlock) -> AnyBlock:
        """Return a block of a template that is worked for, signed and closed by whom it draws.

        Raises:
            TypeError: It is no block by activity.
        """
        if not isinstance(block, ActivityBlock):
            raise TypeError(f"no block by activity: {block!r}")
        judge, rules, rng = as_activity(forge.rules.mechanism), forge.rules, forge.rng
        template = self._work(forge, parent, block.template) if rng.random() < 0.6 else block.template
        block = msgspec.structs.replace(block, template=template)
        group = judge.find_group(rules, parent, template)
        if rng.random() < 0.8:
            named = Cosignature(
                height=template.height, parent=template.parent, template=rules.hash_message(template), author=b""
            )
            signers = group.signers if rng.random() < 0.8 else group.signers[:-1]
            words = tuple(forge.sign_as_author(msgspec.structs.replace(named, author=owner)) for owner in signers)
            block = msgspec.structs.replace(block, signatures=words, author=group.closer)
        return self.pay(forge, parent, block)

    def _remine(self, forge: Forge) -> msgspec.Struct:
        """Return a template with a field changed, which is worked for all the same."""
        templates = forge.seen.find(Template)
        if not templates:
            return forge.seen.pick()
        template = forge.alter(forge.rng.choice(templates))
        parent = forge.find_parent(template.parent) if is_readable(template) else None
        return template if parent is None else self._work(forge, parent, template)

    def _work(self, forge: Forge, parent: ChainRecord, template: Template) -> Template:
        """Return a template with a right nonce, and most often with the target that its parent asks for."""
        judge = as_activity(forge.rules.mechanism)
        if forge.rng.random() < 0.8:
            target, window_start = judge.find_difficulty(parent)
            template = msgspec.structs.replace(template, target=target, window_start=window_start)
        digest = compute_template_digest(forge.rules.chain_id, template)
        nonce = find_nonce(judge.genesis, digest, template.target)
        return forge.sign_as_author(msgspec.structs.replace(template, nonce=nonce))
