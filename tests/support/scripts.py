"""Golden scripts: commands for a small network, each followed by the transcript of all that its nodes do because of it.

A script is a text of blocks with an empty line between them. A block is a comment, or commands (one a line), ``----``
and the transcript. The words of both are those of the protocol, not of the classes that implement it.

    nodes 5 stages=2      a network of five nodes; further words change the genesis, or say what a node is like:
                          ``data=4:poison`` trains on other data, ``by-hand=4`` does only what the script says,
                          ``late=4`` starts when it is woken
    hide timers phases    leave these lines out from now on
    run to=2.5            let time pass until that second; ``run height=2`` until all agree on a block of that height;
                          with ``quietly``, only tell of the heads at the end
    declare 4 slot=3      send a declaration of a node that is played by hand, in the first slot from there on that it
                          wins; with ``data=poison`` of other weights
    propose 4 slot=3 declarers=1,2    send a header in the same way, with the declarations these have sent first
    pay 1 2 amount=5000   hand a transfer of one node to another to everybody
    mute 2 signature      lose what a node sends of a kind; ``unmute`` ends it
    split 0,1 2,3         lose what is sent from one side to the other; ``heal`` ends it
    wake 4                start a node that is late
"""

import difflib
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from protocol.codec import encode_frame
from protocol.events import Broadcast, Command, Send
from protocol.mechanisms.proof_of_training.job import Confidence
from protocol.mechanisms.proof_of_training.messages import TrainingDeclaration
from protocol.messages import Message
from tests.support.core import LINK_NS, Scene, genesis
from tests.support.narrator import HIDEABLE, SECOND, WORDS, Narrator

RULE: Final = "----"


class ScriptError(ValueError):
    """A script says what nobody understands."""


class Player:
    """Plays one script."""

    def __init__(self) -> None:
        self._network: Narrator | None = None
        self._muted: set[tuple[str, str]] = set()
        self._sides: list[list[str]] = []
        self._declared: dict[str, TrainingDeclaration] = {}
        """First declaration of each node."""
        self._commands: dict[str, Callable[[list[str], dict[str, str]], Iterator[str]]] = {
            "nodes": self._start,
            "hide": self._hide,
            "run": self._run,
            "declare": self._declare,
            "propose": self._propose,
            "pay": self._pay,
            "mute": self._mute,
            "unmute": self._mute,
            "split": self._split,
            "heal": self._split,
            "wake": self._wake,
        }

    @property
    def network(self) -> Narrator:
        if self._network is None:
            raise ScriptError("a script begins with `nodes`")
        return self._network

    def play(self, script: str) -> str:
        """Return the script with the transcripts as they are today."""
        blocks = [block for block in script.strip("\n").split("\n\n") if block.strip()]
        return "\n\n".join(map(self._play_block, blocks)) + "\n"

    def _play_block(self, block: str) -> str:
        lines = block.split("\n")
        if all(line.startswith("#") for line in lines):
            return block
        commands = lines[: lines.index(RULE)] if RULE in lines else lines
        told = [line for command in commands for line in self._perform(command)]
        return "\n".join([*commands, RULE, *(told or ["ok"])])

    def _perform(self, line: str) -> Iterator[str]:
        verb, *words = line.split()
        if verb not in self._commands:
            raise ScriptError(f"unknown command: {line}")
        plain = [word for word in words if "=" not in word]
        named = dict(word.split("=", 1) for word in words if "=" in word)
        yield from self._commands[verb](plain, named)
        if named:
            raise ScriptError(f"unknown words {sorted(named)}: {line}")

    # ---- commands; each takes the words that it knows ----

    def _start(self, plain: list[str], named: dict[str, str]) -> Iterator[str]:
        data = dict(item.split(":") for item in named.pop("data", "").split(",") if item)
        away = _split(named.pop("by-hand", "")) | _split(named.pop("late", ""))
        changes: dict[str, Any] = {}
        if "confidence" in named:
            changes["confidence"] = Confidence(rule="count", value=int(named.pop("confidence")))
        while named:
            name, value = named.popitem()
            changes[name.replace("-", "_")] = int(value)
        start = genesis(int(plain[0]), **changes)
        self._network = Narrator(start, data={int(node): kind for node, kind in data.items()})
        self._network.down |= away
        self._network.filters.append(self._passes)
        yield from ()

    def _passes(self, source: str, target: str, command: Command) -> bool:
        if isinstance(command, Broadcast | Send):
            kind = command.message.kind
            if isinstance(command.message, TrainingDeclaration):
                self._declared.setdefault(source, command.message)
            if (source, WORDS.get(kind, kind)) in self._muted:
                return False
        return not self._sides or any(source in side and target in side for side in self._sides)

    def _hide(self, plain: list[str], _: dict[str, str]) -> Iterator[str]:
        if not set(plain) <= set(HIDEABLE):
            raise ScriptError(f"nothing but {', '.join(HIDEABLE)} can be hidden")
        self.network.hidden |= set(plain)
        yield from ()

    def _run(self, plain: list[str], named: dict[str, str]) -> Iterator[str]:
        if "height" in named:
            self.network.run(until_height=int(named.pop("height")))
        else:
            self._pass_time(round(float(named.pop("to")) * SECOND))
        told = list(self.network.take())
        yield from self.network.describe_heads() if plain == ["quietly"] else told

    def _pass_time(self, until: int) -> None:
        self.network.run(seconds=(until - self.network.now) / SECOND)
        self.network.now = until

    def _declare(self, plain: list[str], named: dict[str, str]) -> Iterator[str]:
        author, slot, data = int(plain[0]), int(named.pop("slot")), named.pop("data", "clean")
        declaration = self._compose().declaration(author, slot=slot, data=data)
        self._declared.setdefault(plain[0], declaration)
        yield from self._say(plain[0], declaration)

    def _propose(self, plain: list[str], named: dict[str, str]) -> Iterator[str]:
        author, slot, data = int(plain[0]), int(named.pop("slot")), named.pop("data", "clean")
        known = [self._declared[name] for name in _split(named.pop("declarers"))]
        scene = self._compose()
        header = scene.header(author, (), slot=slot, data=data)
        declarations = tuple(sorted(known, key=lambda item: item.author))
        yield from self._say(plain[0], scene.sign(msgspec.structs.replace(header, declarations=declarations)))

    def _pay(self, plain: list[str], named: dict[str, str]) -> Iterator[str]:
        payer, payee = map(int, plain)
        amount, nonce = int(named.pop("amount")), int(named.pop("nonce", "0"))
        yield from self._say(plain[0], self._compose().transfer(payer, payee, amount=amount, nonce=nonce))

    def _compose(self) -> Scene:
        """Return what makes valid messages on the genesis of this network."""
        return Scene(self.network.genesis)

    def _say(self, author: str, message: Message) -> Iterator[str]:
        """Let everybody have a message, and time pass until all have it."""
        network = self.network
        frame = encode_frame(network.node(0).rules.chain_id, message)
        for name in network.get_up():
            network.send(name, author, frame)
        yield f"{author}->* {network.describe(message)}"
        self._pass_time(network.now + LINK_NS)
        yield from network.take()

    def _mute(self, plain: list[str], _: dict[str, str]) -> Iterator[str]:
        if not plain:
            self._muted.clear()
        else:
            self._muted.add((plain[0], plain[1]))
        yield from ()

    def _split(self, plain: list[str], _: dict[str, str]) -> Iterator[str]:
        self._sides = [side.split(",") for side in plain]
        yield from ()

    def _wake(self, plain: list[str], _: dict[str, str]) -> Iterator[str]:
        self.network.wake(int(plain[0]))
        yield from ()


def _split(names: str) -> set[str]:
    return set(names.split(",")) - {""}


def play(script: str) -> str:
    """Return a script with the transcripts as they are today."""
    return Player().play(script)


def compare(script: str, today: str, name: str) -> str:
    """Return the lines in which a script and what is played today differ."""
    lines = difflib.unified_diff(script.splitlines(), today.splitlines(), f"{name}, as written", f"{name}, today")
    return "\n".join(line.rstrip("\n") for line in lines)
