"""What the demo does: ingest, ask, and watch the gem's state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from api.cli.ingest import show_progress
from api.cli.intake import IntakeReport, take_in
from api.cli.output import open_bar
from api.schemas.gems import to_gem
from api.schemas.reflections import to_reflection
from api.service import Service
from gems import Gem, QuantumState, evolve
from knowledge import read_sources
from reflection import DoneEvent, EvidenceEvent, Reflection, ReflectionRequest

GEM = "demo"
QUESTIONS = (
    "How does the coherence of a memory change with time, and what happens to it when it is recalled?",
    "Which channels and weights make up the recall score of a passage?",
    "What happens when no LLM is configured or none of them answers?",
)
EVIDENCE = 6  # passages a question is given


@dataclass(frozen=True, slots=True)
class Asked:
    """One question's reflection, and the headings that its evidence stands under, by passage."""

    reflection: Reflection
    headings: Mapping[UUID, str | None]


@dataclass(frozen=True, slots=True)
class Tour:
    """All that the demo did.

    Attributes:
        before: the gem as it was before the first question.
        after: the gem after the last.
        later: its state one τ from now if it is left alone.
    """

    intake: IntakeReport
    data_dir: Path
    before: Gem
    asked: tuple[Asked, ...]
    after: Gem
    later: QuantumState[float]
    tau_days: float

    def as_json(self) -> object:
        """Return it in JSON values."""
        total = self.intake.total
        return {
            "ingest": {name: getattr(total, name) for name in ("documents", "skipped", "passages", "seconds")},
            "problems": [str(problem) for problem in self.intake.problems],
            "reflections": [to_reflection(each.reflection) for each in self.asked],
            "before": to_gem(self.before),
            "after": to_gem(self.after),
        }


async def take_tour(service: Service, sources: Sequence[Path]) -> Tour:
    """Ingest documents into the demo's gem and ask its questions."""
    with open_bar("Ingesting", "documents") as bar:
        intake = await take_in(service, read_sources(sources), lambda _: GEM, lambda report: show_progress(bar, report))
    before = await service.gems.ensure(service.tenant, GEM, service.at())
    asked = []
    with open_bar("Asking", "questions") as bar:
        for done, question in enumerate(QUESTIONS, start=1):
            asked.append(await _ask(service, before.gem_id, question))
            bar.advance_to(done, len(QUESTIONS))
    after = await service.gems.get(service.tenant, before.gem_id, service.at())
    return Tour(
        intake=intake,
        data_dir=service.settings.data_dir,
        before=before,
        asked=tuple(asked),
        after=after,
        later=evolve(after.state, 1.0),
        tau_days=service.settings.time_unit_days,
    )


async def _ask(service: Service, gem_id: UUID, question: str) -> Asked:
    headings: dict[UUID, str | None] = {}
    reflection: Reflection | None = None
    async for event in service.reflections.stream(
        service.tenant, ReflectionRequest(gem_id, question, k=EVIDENCE), service.at()
    ):
        if isinstance(event, EvidenceEvent):
            headings = {passage.passage_id: passage.heading for passage in event.passages}
        elif isinstance(event, DoneEvent):
            reflection = event.reflection
    if reflection is None:
        raise AssertionError("a stream ends with its reflection, or with an error")
    return Asked(reflection, headings)
