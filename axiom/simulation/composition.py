"""Rules made of rules: one after another in time, added up, chained, bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from axiom.equation import Float, FloatArray
from axiom.simulation.parameters import Parameters, Taken, integer, mapping, number, parameter, sequence
from axiom.simulation.rulebook import read_rule, write
from axiom.simulation.rules import Mover, Rule, UpdateRule
from axiom.simulation.state import SystemState
from core.errors import InvalidParameterError

LONGEST = 1_000_000  # steps of one piece
FOREVER = 1 << 62  # steps
MOST = 1_000  # rules in one composition


@dataclass(frozen=True, slots=True)
class Piece:
    """A rule for a number of steps."""

    steps: int
    rule: UpdateRule

    def to_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return {"steps": self.steps, "rule": write(self.rule, "rule")}


def _check_rule(path: str, value: object) -> UpdateRule:
    if not callable(value):
        raise InvalidParameterError(path, f"must be a rule, not {type(value).__name__}")
    return cast("UpdateRule", value)


def _check_rules(path: str, value: object) -> tuple[UpdateRule, ...]:
    return _some(path, [_check_rule(f"{path}[{at}]", each) for at, each in enumerate(sequence(path, value))])


def _read_rules(path: str, value: object) -> tuple[UpdateRule, ...]:
    return _some(path, [read_rule(each, f"{path}[{at}]") for at, each in enumerate(sequence(path, value))])


def _some(path: str, rules: Sequence[UpdateRule]) -> tuple[UpdateRule, ...]:
    if not 1 <= len(rules) <= MOST:
        raise InvalidParameterError(path, f"must have 1 to {MOST:,} rules, not {len(rules):,}")
    return tuple(rules)


def _check_pieces(path: str, value: object) -> tuple[Piece, ...]:
    pieces = []
    for at, each in enumerate(sequence(path, value)):
        steps, rule = (each.steps, each.rule) if isinstance(each, Piece) else cast("tuple[int, UpdateRule]", each)
        where = f"{path}[{at}]"
        pieces.append(Piece(integer(f"{where}.steps", steps, 1, LONGEST), _check_rule(f"{where}.rule", rule)))
    return _some_pieces(path, pieces)


def _read_pieces(path: str, value: object) -> tuple[Piece, ...]:
    pieces = []
    for at, each in enumerate(sequence(path, value)):
        where = f"{path}[{at}]"
        given = mapping(where, each, ("steps", "rule"))
        for name in ("steps", "rule"):
            if name not in given:
                raise InvalidParameterError(f"{where}.{name}", "is required")
        steps = integer(f"{where}.steps", given["steps"], 1, LONGEST)
        pieces.append(Piece(steps, read_rule(given.get("rule"), f"{where}.rule")))
    return _some_pieces(path, pieces)


def _some_pieces(path: str, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    if not 1 <= len(pieces) <= MOST:
        raise InvalidParameterError(path, f"must have 1 to {MOST:,} pieces, not {len(pieces):,}")
    return tuple(pieces)


def _check_flag(path: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidParameterError(path, f"must be true or false, not {value!r}")
    return value


_RULE = Taken(
    _check_rule,
    "a rule",
    "The rule.",
    read=lambda path, value: read_rule(value, path),
    write=lambda rule: write(rule, "of"),
)
_RULES = Taken(
    _check_rules,
    "a list of rules",
    "The rules.",
    read=_read_rules,
    write=lambda rules: [write(each, "rules") for each in rules],
)
_PIECES = Taken(
    _check_pieces,
    'a list of {"steps": …, "rule": …}',
    "Each rule with the number of steps it is in force; the last one stays.",
    read=_read_pieces,
    write=lambda pieces: [piece.to_dict() for piece in pieces],
)
_REPEAT = Taken(_check_flag, "true or false", "Begin again after the last piece.")


@dataclass(frozen=True, slots=True)
class Piecewise(Rule):
    """One rule after another; each begins where the one before it ended, and counts its own steps from 1."""

    kind: ClassVar[str] = "piecewise"
    pieces: Sequence[Piece | tuple[int, UpdateRule]] = parameter(_PIECES)  # kept as a tuple of pieces
    repeat: bool = parameter(_REPEAT, default=False)

    def __call__(self, state: SystemState, step: int, /) -> Float:
        """Return the value that the piece of this step makes."""
        piece, own_step = self._at(step)
        return piece.rule(state, own_step)

    def mover(self, start: FloatArray) -> Mover | None:
        """Return the pieces' closed forms on their way; None if one of them has none."""
        movers = [each.rule.mover(start) if isinstance(each.rule, Rule) else None for each in self.parts]
        return None if None in movers else _Pieces(self, start)

    @property
    def parts(self) -> tuple[Piece, ...]:
        """The pieces as they are kept."""
        return cast("tuple[Piece, ...]", self.pieces)

    def next_of(self, number: int) -> int:
        """Return the number of the piece after this one; the first one follows the last."""
        return (number + 1) % len(self.parts)

    def _at(self, step: int) -> tuple[Piece, int]:
        if self.repeat:
            step = (step - 1) % sum(piece.steps for piece in self.parts) + 1
        for piece in self.parts[:-1]:
            if step <= piece.steps:
                return piece, step
            step -= piece.steps
        return self.parts[-1], step


class _Pieces:
    """The pieces on their way: the closed form of one, then of the next from where that ended."""

    def __init__(self, rule: Piecewise, start: FloatArray) -> None:
        self._rule = rule
        self._number = 0
        self._value = start
        self._left, self._mover = self._begin()

    def __call__(self, count: int, /) -> FloatArray:
        parts = []
        while count:
            if not self._left:
                self._number = self._rule.next_of(self._number)
                self._left, self._mover = self._begin()
            taken = min(count, self._left)
            rows = np.broadcast_to(self._mover(taken), (taken, self._value.size))
            self._value = rows[-1]
            self._left -= taken
            count -= taken
            parts.append(rows)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _begin(self) -> tuple[int, Mover]:
        """Return how many steps the piece has, and what moves the value through them."""
        piece = self._rule.parts[self._number]
        stays = not self._rule.repeat and self._number + 1 == len(self._rule.parts)
        rule, value = cast("Rule", piece.rule), self._value.copy()
        # pieces within pieces were looked at with them: again at each level would be twice as often at each
        mover = _Pieces(rule, value) if isinstance(rule, Piecewise) else cast("Mover", rule.mover(value))
        return FOREVER if stays else piece.steps, mover


@dataclass(frozen=True, slots=True)
class Sum(Rule):
    """What all rules add, each from the same state: v + Σ (rule(v) − v)."""

    kind: ClassVar[str] = "sum"
    rules: Sequence[UpdateRule] = parameter(_RULES)

    def __call__(self, state: SystemState, step: int, /) -> Float:
        """Return the value with all changes added, in order."""
        own = state.own
        value = own
        for rule in self.rules:
            value = value + (rule(state, step) - own)
        return value


@dataclass(frozen=True, slots=True)
class Chain(Rule):
    """Each rule on what the one before it made."""

    kind: ClassVar[str] = "chain"
    rules: Sequence[UpdateRule] = parameter(_RULES)

    def __call__(self, state: SystemState, step: int, /) -> Float:
        """Return what the last rule makes."""
        for rule in self.rules:
            state = state.with_own(rule(state, step))
        return state.own


@dataclass(frozen=True, slots=True)
class Bounded(Rule):
    """A rule whose value is moved to the nearer bound where it leaves them; the next step goes on from there."""

    kind: ClassVar[str] = "bounded"
    of: UpdateRule = parameter(_RULE)  # not `rule`: in JSON that key holds the kind
    low: float = number(0.0, help="The least value.")
    high: float = number(1.0, help="The greatest value.")

    def __post_init__(self) -> None:
        Parameters.__post_init__(self)
        if self.low > self.high:
            raise InvalidParameterError("low", f"must be at most high ({self.high}), not {self.low}")

    def __call__(self, state: SystemState, step: int, /) -> Float:
        """Return the rule's value within the bounds."""
        value = self.of(state, step)
        if isinstance(value, np.ndarray):
            return np.clip(value, self.low, self.high)
        return min(max(value, self.low), self.high)
