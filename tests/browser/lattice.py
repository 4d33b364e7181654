"""A lattice with a past: gems of different ages, entangled, used, asked and rated over the last year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core.clock import utc_now
from core.pg import DEFAULT_TENANT, Database, PoolConfig
from gems import Gem, GemChange, Gems, Moment, set_entanglement
from knowledge import Chunker, Ingestion, Recall, load_local, parse_document
from llm_router import RouterConfig, build_router
from reflection import ReflectionRequest, Reflections

MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Story:
    """One gem and what happened to it.

    Attributes:
        born: days ago.
        asked: questions, each with how many days ago and what the asker thought of the answer.
        archived: days ago.
    """

    name: str
    about: str
    born: float
    notes: tuple[str, ...]
    asked: tuple[tuple[float, str, float | None], ...] = ()
    archived: float | None = None


STORIES = (
    Story(
        "Pier nine crane",
        "The gantry crane: what it lifts, who looks after it, what broke.",
        300,
        (
            "The gantry crane at pier nine lifts forty tonnes. It was built in 1962 and rebuilt in 2019.",
            "The hoist brake of the crane is adjusted every six weeks by Maria Okafor of the workshop.",
            "In March a worn sheave stopped the crane for two days; a spare sheave now lies in the workshop.",
            "The crane may not lift when the wind is above 18 metres a second; the anemometer hangs on the jib.",
        ),
        (
            (240, "How much does the crane lift?", 1.0),
            (160, "Who adjusts the hoist brake?", None),
            (90, "Why did the crane stop for two days?", 0.5),
            (41, "At what wind may the crane not lift?", 1.0),
            (6, "How much does the gantry crane lift?", None),
        ),
    ),
    Story(
        "Ferry timetable",
        "Departures to the island, tickets, and what happens in bad weather.",
        220,
        (
            "The island ferry leaves at seven and at noon. Tickets are sold on board.",
            "In winter the ferry leaves at eight only, and the noon ferry is cancelled.",
            "When waves are above two metres the ferry stays in the harbour and the island is told by radio.",
        ),
        (
            (180, "When does the ferry leave?", 1.0),
            (120, "When does the ferry leave in winter?", 0.8),
            (75, "Where are tickets for the ferry sold?", None),
            (30, "When does the ferry leave?", 1.0),
            (2, "What happens to the ferry when waves are above two metres?", 1.0),
        ),
    ),
    Story(
        "Harbour wildlife",
        "Birds and seals around the basin.",
        260,
        (
            "Herring gulls nest on the warehouse roof in May; the roof is closed until they have left.",
            "A grey seal rests on the slipway most mornings. Visitors keep thirty metres away.",
            "Oystercatchers breed in the gravel beside the car park.",
        ),
        ((200, "Where do herring gulls nest?", None), (110, "How far do visitors keep from the seal?", 0.4)),
    ),
    Story(
        "Warehouse fire safety",
        "Sprinklers, exits and drills of the four sheds.",
        120,
        (
            "Shed three has a dry sprinkler, since water froze in its pipes in 2021.",
            "Fire drills are held on the first Tuesday of each quarter; the assembly point is the weighbridge.",
            "Lithium batteries are stored in the steel box behind shed one, never inside.",
        ),
        (
            (100, "Where are lithium batteries stored?", 1.0),
            (60, "Where is the assembly point of fire drills?", None),
            (20, "Why does shed three have a dry sprinkler?", 1.0),
        ),
    ),
    Story(
        "Customs rules",
        "What must be declared, and by when.",
        170,
        (
            "Cargo from outside the union is declared two hours before arrival.",
            "Fresh fish is exempt from the pre-arrival declaration if it was landed by a registered boat.",
            "The customs officer comes on weekdays from nine to four.",
        ),
        ((150, "When is cargo from outside the union declared?", None),),
    ),
    Story(
        "Tides and weather",
        "What the gauge says and what it means for berths.",
        75,
        (
            "At spring tide the inner berth falls dry for an hour; only flat-bottomed boats may lie there.",
            "The tide gauge at the lock reports every ten minutes.",
            "A north-easterly above force seven sends swell into the basin; mooring lines are doubled.",
        ),
        (
            (60, "When does the inner berth fall dry?", 0.6),
            (35, "How often does the tide gauge report?", None),
            (9, "When are mooring lines doubled?", 1.0),
            (1, "When are mooring lines doubled?", None),
        ),
    ),
    Story(
        "Crew roster",
        "Who is on watch, and who stands in.",
        40,
        (
            "Jonas Lind has the early watch this month, Priya Nair the late one.",
            "Whoever swaps a watch tells the harbour office a day before.",
        ),
        ((12, "Who has the early watch?", None), (3, "Whom to tell about swapping a watch?", 1.0)),
    ),
    Story(
        "Berth fees",
        "Tariffs for visitors and regulars.",
        9,
        (
            "A visiting yacht pays two euros a metre and night; the third night is free in winter.",
            "Regulars pay by the quarter, in advance.",
        ),
        ((4, "What does a visiting yacht pay?", None),),
    ),
    Story(
        "Lighthouse history",
        "How the light came to the point.",
        320,
        (
            "The lighthouse on the point was lit first in 1874 and automated in 1989.",
            "Its fresnel lens is shown in the museum; a LED lamp has taken its place.",
        ),
        ((290, "When was the lighthouse lit first?", None),),
    ),
    Story("Old tariffs", "Tariffs until 2019.", 340, ("Until 2019 a berth cost one euro a metre.",), (), 200),
)
# what the first note of a story is given as related, beside what is found in the texts
RELATED = {
    "Pier nine crane": (
        ("gantry crane", "stands at", "pier nine"),
        ("hoist brake", "part of", "gantry crane"),
        ("jib", "part of", "gantry crane"),
        ("anemometer", "hangs on", "jib"),
        ("Maria Okafor", "adjusts", "hoist brake"),
        ("Maria Okafor", "works in", "workshop"),
        ("spare sheave", "lies in", "workshop"),
    ),
    "Ferry timetable": (
        ("island ferry", "goes to", "island"),
        ("tickets", "sold on", "island ferry"),
        ("Jonas Lind", "steers", "island ferry"),
    ),
    "Harbour wildlife": (
        ("herring gull", "nests on", "warehouse roof"),
        ("grey seal", "rests on", "slipway"),
        ("oystercatcher", "breeds in", "gravel"),
    ),
    "Crew roster": (
        ("Jonas Lind", "has", "early watch"),
        ("Priya Nair", "has", "late watch"),
        ("Priya Nair", "stands in for", "Jonas Lind"),
    ),
    "Tides and weather": (("tide gauge", "stands at", "lock"), ("swell", "enters", "basin")),
}
ENTANGLED = (
    ("Pier nine crane", "Tides and weather", 0.6),
    ("Pier nine crane", "Warehouse fire safety", 0.35),
    ("Ferry timetable", "Tides and weather", 0.8),
    ("Ferry timetable", "Crew roster", 0.4),
    ("Berth fees", "Customs rules", 0.25),
)


async def write_lattice(url: str, now: datetime | None = None) -> None:
    """Write the stories into an empty database, each use at its own moment."""
    local = load_local()
    try:
        async with Database(PoolConfig(url)) as database:
            await _Past(database, local, now or utc_now()).write()
    finally:
        await local.aclose()


class _Past:
    """Writes what happened, oldest first, so that entanglement spreads as it would have."""

    def __init__(self, database: Database, local: object, now: datetime) -> None:
        self._database, self._now = database, now
        self._gems = Gems(database)
        self._ingestion = Ingestion(database, local, Chunker(local.tokenizer))  # type: ignore[attr-defined, arg-type]
        recall = Recall(database, local)  # type: ignore[arg-type]
        router = build_router(RouterConfig(), local.embed)  # type: ignore[attr-defined]
        self._reflections = Reflections(database, self._gems, recall, router)
        self._ids: dict[str, UUID] = {}

    async def write(self) -> None:
        for story in sorted(STORIES, key=lambda each: -each.born):
            self._ids[story.name] = (await self._bear(story)).gem_id
        await self._entangle()
        uses = [(days, story, question, rating) for story in STORIES for days, question, rating in story.asked]
        for days, story, question, rating in sorted(uses, key=lambda use: -use[0]):
            await self._ask(story, question, rating, days)
        for story in STORIES:
            if story.archived is not None:
                await self._gems.archive(DEFAULT_TENANT, self._ids[story.name], self._at(story.archived))

    def _at(self, days_ago: float) -> Moment:
        return Moment(self._now - timedelta(days=days_ago), MONTH)

    async def _bear(self, story: Story) -> Gem:
        at = self._at(story.born)
        gem = await self._gems.create(DEFAULT_TENANT, GemChange(story.name, story.about), at)
        notes = [self._note(story, i, text) for i, text in enumerate(story.notes)]
        await self._ingestion.ingest(DEFAULT_TENANT, gem.gem_id, [parse_document(each) for each in notes], at)
        return gem

    def _note(self, story: Story, index: int, text: str) -> dict[str, object]:
        name = f"{story.name.lower().replace(' ', '-')}-{index + 1}"
        related = {"relations": [list(each) for each in RELATED.get(story.name, ())]} if index == 0 else {}
        return related | {
            "id": name,
            "text": text,
            "title": f"{story.name}, note {index + 1}",
            "source": f"notes/{name}.md",
        }

    async def _entangle(self) -> None:
        async with self._database.transaction(DEFAULT_TENANT) as conn:
            for one, other, strength in ENTANGLED:
                await set_entanglement(conn, self._ids[one], self._ids[other], strength, self._at(30).now)

    async def _ask(self, story: Story, question: str, rating: float | None, days: float) -> None:
        request = ReflectionRequest(self._ids[story.name], question)
        found = await self._reflections.reflect(DEFAULT_TENANT, request, self._at(days))
        if rating is not None:
            after = self._at(days - 0.01)
            await self._reflections.rate(DEFAULT_TENANT, found.reflection_id, rating, after)


def questions() -> Sequence[str]:
    """All that was asked, newest first."""
    asked = [(days, question) for story in STORIES for days, question, _ in story.asked]
    return [question for _, question in sorted(asked)]
