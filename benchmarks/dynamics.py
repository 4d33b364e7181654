"""Does it help that memories fade and are strengthened by use? A synthetic year, replayed under several settings.

What recall finds does not depend on time, so it is gathered once for each question; a year is then replayed with the
true ranking and the true dynamics: at each question the states are evolved to its moment, the passages ranked, and what
a reader would use is measured: the right passage if it is among the first eight, else the first, wrong as it is.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Literal
from uuid import UUID

import numpy as np

from benchmarks.blocks import SpreadFigure
from benchmarks.figures import Figure, fresh_database
from benchmarks.year import Habits, Question, Year
from core.pg import DEFAULT_TENANT
from gems import Gems, Moment, QuantumState, evolve
from gems import measure as strengthen
from knowledge import Chunker, FusionWeights, Ingestion, Recall, RecallQuery, SourceDocument, load_local
from knowledge.ranking import Findings, Ranked, rank
from llm_router import Evidence, Prompt, Router, RouterConfig, build_router

START = datetime(2026, 1, 1, tzinfo=UTC)
TUNED_ON, TOLD_OF = (1,), (3, 4, 5)  # seeds: settings are chosen on the first and told of the others
SETTLED = 60  # days after which questions count: at first nothing was used yet
SHOWN = 8  # passages, as a reflection shows a model
ANSWERED = 10  # of so many questions one is also answered
RESAMPLES = 1_000

Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Setting:
    """How states come about and how much they say.

    Attributes:
        kappa: of coherence.
        lambda_: of interference.
        gain: α of a use.
        tau_days: length of a τ.
        state: `measured` by use; `touched`: a use sets the state back to new, as plain recency of use does; `aged`:
            nothing changes it, as recency of storage does.
    """

    name: str
    kappa: float = 0.1
    lambda_: float = 0.05
    gain: float = 0.3
    tau_days: float = 30.0
    state: Literal["measured", "touched", "aged"] = "measured"


OFF = Setting("off", 0.0, 0.0)
DEFAULTS = Setting("defaults")
RIVALS = (
    DEFAULTS,
    Setting("the best found, κ 0.1 λ 0.05 α 0.3 τ 10 d", 0.1, 0.05, 0.3, 10.0),
    Setting("the second best, κ 0.1 λ 0 α 0.3 τ 10 d", 0.1, 0.0, 0.3, 10.0),
    Setting("coherence alone", lambda_=0.0),
    Setting("interference alone", kappa=0.0),
    Setting("recency of use", lambda_=0.0, state="touched"),
    Setting("recency of storage", lambda_=0.0, state="aged"),
)
GRID = tuple(
    Setting(f"κ {kappa} λ {lambda_} α {gain} τ {tau:g} d", kappa, lambda_, gain, tau)
    for kappa in (0.05, 0.1, 0.2)
    for lambda_ in (0.0, 0.05)
    for gain in (0.1, 0.3, 0.6)
    for tau in (10.0, 30.0, 90.0)
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question.

    Attributes:
        place: rank of the right passage, from 1; 0 if it was not among those shown.
        shown: what was, for questions that are also answered.
    """

    question: Question
    place: int
    shown: tuple[Ranked, ...] = ()

    @property
    def reciprocal(self) -> float:
        """1 / rank; 0 for what was not shown."""
        return 1 / self.place if self.place else 0.0


class Replay:
    """A year that was stored and searched, ready to be replayed."""

    def __init__(self, year: Year, passages: Sequence[UUID], findings: Mapping[str, Findings]) -> None:
        self._year, self._passages, self._findings = year, passages, findings

    def run(self, setting: Setting) -> list[Outcome]:
        """Live through the year under one setting."""
        weights = replace(FusionWeights(), kappa=setting.kappa, lambda_=setting.lambda_)
        unit = timedelta(days=setting.tau_days)
        states: dict[UUID, Row] = {}
        born, outcomes = 0, list[Outcome]()
        for question in self._year.questions:
            at = Moment(START + timedelta(days=question.day), unit)
            while born < len(self._passages) and self._year.facts[born].day <= question.day:
                states[self._passages[born]] = _new(START + timedelta(days=self._year.facts[born].day))
                born += 1
            ranked = rank(self._findings[question.text], states, at, weights, k=SHOWN)
            right = self._passages[question.fact]
            place = next((i for i, each in enumerate(ranked, start=1) if each.passage_id == right), 0)
            used = right if place else ranked[0].passage_id
            states[used] = _use(states[used], at, setting)
            if question.day >= SETTLED:
                answered = len(outcomes) % ANSWERED == 0
                outcomes.append(Outcome(question, place, tuple(ranked) if answered else ()))
        return outcomes

    async def answer(self, outcomes: Sequence[Outcome], router: Router) -> float:
        """Let the extractive answerer answer; return how often it cites the right passage."""
        texts = {passage: fact.text for passage, fact in zip(self._passages, self._year.facts, strict=True)}
        cited = []
        for each in outcomes:
            if each.shown:
                evidence = tuple(
                    Evidence(label, texts[found.passage_id], None, None, found.score.score)
                    for label, found in enumerate(each.shown, start=1)
                )
                reply = await router.ask(Prompt("", each.question.text, evidence, 1_000))
                cited.append(f"[{each.place}]" in reply.text)
        return fmean(cited)


def _new(born: datetime) -> Row:
    return _row(QuantumState.new(), born)


def _row(state: QuantumState[float], at: datetime) -> Row:
    names = ("energy", "phase", "coherence", "uncertainty")
    return {name: getattr(state, name) for name in names} | {"measured_at": at.timestamp()}


def _use(row: Row, at: Moment, setting: Setting) -> Row:
    if setting.state == "aged":
        return row
    if setting.state == "touched":
        return _new(at.now)
    state = QuantumState(row["energy"], row["phase"], row["coherence"], row["uncertainty"])
    return _row(strengthen(evolve(state, (at.now.timestamp() - row["measured_at"]) / at.tau_s), setting.gain), at.now)


SLICES: dict[str, Callable[[Question], bool]] = {
    "all questions": lambda _: True,
    "topic, team and attribute named": lambda question: question.kind == "named",
    "team not named": lambda question: question.kind == "half named",
    "only the attribute named": lambda question: question.kind == "bare",
    "of what was asked for 20 times before": lambda question: question.uses >= 20,
    "of what was never asked for before": lambda question: question.uses == 0,
}


def compare(setting: Setting, ours: Sequence[Outcome], off: Sequence[Outcome]) -> list[Figure]:
    """Return the mean reciprocal rank under a setting, and its gain over no dynamics with a 95 % interval."""
    figures: list[Figure] = []
    for name, holds in SLICES.items():
        told = [(o.reciprocal, n.reciprocal) for o, n in zip(ours, off, strict=True) if holds(o.question)]
        if not told:  # in an even year nothing is asked for so often
            continue
        pairs = np.array(told)
        rng = np.random.default_rng(0)
        gains = pairs[:, 0] - pairs[:, 1]
        means = [rng.choice(gains, len(gains)).mean() for _ in range(RESAMPLES)]
        low, high = np.percentile(means, [2.5, 97.5])
        figures.append(Figure(f"{setting.name}: MRR, {name}", float(pairs[:, 0].mean()), "ratio"))
        figures.append(
            SpreadFigure(
                f"{setting.name}: gain over off, {name}", float(gains.mean()), "ratio", "", float(low), float(high)
            )
        )
    found = [0 < each.place <= 5 for each in ours]
    return [*figures, Figure(f"{setting.name}: recall@5, all questions", fmean(found), "ratio")]


async def measure(*, search: bool = False) -> AsyncIterator[Figure]:
    """Replay years under every setting; with `search`, tell first which of a grid are the best on other years."""
    if search:
        tuned = await prepare([Year(seed) for seed in TUNED_ON])
        scores = {
            setting.name: fmean(each.reciprocal for replay in tuned for each in replay.run(setting))
            for setting in (OFF, DEFAULTS, *GRID)
        }
        for name, score in sorted(scores.items(), key=lambda item: -item[1]):
            yield Figure(f"searched: {name}", score, "MRR")
    for kind, habits in (("a skewed year", Habits()), ("an even year", Habits(skew=0.0, drift=0.0, bursts=0))):
        replays = await prepare([Year(seed, habits) for seed in (TOLD_OF if habits.skew else TOLD_OF[:1])])
        embedder = load_local()
        try:
            router = build_router(RouterConfig(), embedder.embed)
            off = [replay.run(OFF) for replay in replays]
            for setting in (OFF, *(RIVALS if habits.skew else RIVALS[:1])):
                ours = off if setting is OFF else [replay.run(setting) for replay in replays]
                for figure in compare(setting, [o for each in ours for o in each], [o for each in off for o in each]):
                    yield replace(figure, name=f"{kind}: {figure.name}")
                cited = [await replay.answer(each, router) for replay, each in zip(replays, ours, strict=True)]
                yield Figure(f"{kind}: {setting.name}: answers that cite the right passage", fmean(cited), "ratio")
        finally:
            await embedder.aclose()


async def prepare(years: Sequence[Year]) -> list[Replay]:
    """Store each year in a gem of its own and gather what recall finds for each of its questions."""
    embedder = load_local()
    try:
        async with fresh_database() as (database, _):
            gems, recall = Gems(database), Recall(database, embedder)
            ingestion = Ingestion(database, embedder, Chunker(embedder.tokenizer))
            at, replays = Moment(START + timedelta(days=400), timedelta(days=30)), list[Replay]()
            for number, year in enumerate(years):
                gem = await gems.ensure(DEFAULT_TENANT, f"year {number}", at)
                documents = [SourceDocument(fact.text, external_id=str(fact.number)) for fact in year.facts]
                await ingestion.ingest(DEFAULT_TENANT, gem.gem_id, documents, at)
                findings: dict[str, Findings] = {}
                for text in sorted({question.text for question in year.questions}):
                    found = await recall.gather(DEFAULT_TENANT, RecallQuery(text, (gem.gem_id,)), at)
                    if found is not None:
                        findings[text] = found.findings
                async with database.transaction(DEFAULT_TENANT, read_only=True) as conn:
                    query = (
                        "SELECT p.passage_id FROM passage p JOIN document d USING (tenant_id, document_id) "
                        "WHERE p.gem_id = %s ORDER BY d.external_id::int"
                    )
                    rows = await (await conn.execute(query, (gem.gem_id,))).fetchall()
                replays.append(Replay(year, [row[0] for row in rows], findings))
            return replays
    finally:
        await embedder.aclose()
