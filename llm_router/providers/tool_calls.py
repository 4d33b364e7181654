"""Tool calls being read: whole, or in pieces that servers number and name as they like."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from llm_router.faults import TargetFault
from llm_router.prompt import ToolCall


@dataclass(slots=True, eq=False)
class _Draft:
    call_id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    whole: Mapping[str, object] | None = None

    def read_arguments(self) -> object:
        """Return the parsed arguments; none at all are an empty object."""
        if self.whole is not None:
            return self.whole
        try:
            return json.loads("".join(self.pieces).strip() or "{}")
        except (ValueError, RecursionError):
            return None

    @property
    def is_whole(self) -> bool:
        return self.whole is not None or (bool(self.pieces) and isinstance(self.read_arguments(), Mapping))

    def is_followed_by(self, call_id: str, arguments: object) -> bool:
        """Say whether a named piece of the same number belongs to another call."""
        if call_id and self.call_id:
            return call_id != self.call_id
        return bool(arguments) and self.is_whole


class ToolCallDrafts:
    """The tool calls of one answer, in the order in which they began."""

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._by_index: dict[int, _Draft] = {}

    def __bool__(self) -> bool:
        return bool(self._drafts)

    def knows(self, index: object) -> bool:
        """Say whether a call of this number has begun."""
        return index in self._by_index

    def take(self, index: object, call_id: str, name: str, arguments: object) -> None:
        """Take in a call or a piece of one.

        Some servers leave out the number or the id in later pieces, repeat the name in each, or give all calls the
        number 0; a piece that fits no call that has begun begins one.

        Args:
            index: the call's number within the answer, where the server gives one.
            call_id: empty where the server gives none.
            name: of the tool, or empty.
            arguments: text to be added, or the whole of them as an object.
        """
        draft = self._find(index, call_id, name, arguments)
        if draft is None:
            draft = _Draft()
            self._drafts.append(draft)
        if isinstance(index, int):
            self._by_index[index] = draft
        draft.call_id = draft.call_id or call_id
        if name != draft.name and not draft.pieces:
            draft.name += name
        if isinstance(arguments, Mapping):
            draft.whole = arguments
        elif arguments not in (None, ""):
            draft.pieces.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    def settle(self, index: int, arguments: str) -> None:
        """Put the whole arguments in the place of what had come of them."""
        if arguments:
            self._by_index[index].pieces[:] = [arguments]

    def text(self) -> str:
        """Return all that has come, for an estimate of its length."""
        return "".join(part for draft in self._drafts for part in (draft.name, *draft.pieces))

    def finish(self, target: str) -> tuple[ToolCall, ...]:
        """Return the calls; one without an id is given one.

        Raises:
            TargetFault: a call has no name, or arguments that are no JSON object.
        """
        calls: list[ToolCall] = []
        for draft in self._drafts:
            arguments = draft.read_arguments()
            if not draft.name or not isinstance(arguments, Mapping):
                raise TargetFault(target, "malformed", cause="tool_call")
            calls.append(ToolCall(draft.call_id or f"call_{uuid4().hex}", draft.name, arguments))
        return tuple(calls)

    def _find(self, index: object, call_id: str, name: str, arguments: object) -> _Draft | None:
        if isinstance(index, int):
            draft = self._by_index.get(index)
            return None if draft and name and draft.is_followed_by(call_id, arguments) else draft
        last = self._drafts[-1] if self._drafts else None
        if call_id:
            known = next((draft for draft in self._drafts if draft.call_id == call_id), None)
            return known or (None if name else last)
        return None if name and last and last.is_whole else last
