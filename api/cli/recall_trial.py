"""A trial of recall: documents into a lattice made for it, each question asked, the lattice removed."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from api.cli.ingest import show_progress
from api.cli.intake import take_in
from api.cli.output import counted, note, open_bar
from api.service import Service, open_service
from api.settings import Settings
from core.errors import InvalidInputError
from core.sql import load_queries
from knowledge import (
    CHANNELS,
    Ablation,
    AskedQuestion,
    Interval,
    RecallQuery,
    ResonanceCache,
    SourceDocument,
    SourceProblem,
    bound_recall,
    compare_recall,
    rank_documents,
    read_sources,
    split_by_group,
    summarise_recall,
    summarise_recall_by_group,
)

ONE_GEM = "trial"
DEPTH_LEAST = 10  # nDCG@10 and the reciprocal rank look this deep, whatever k is asked for
MOST_PASSAGES = 200  # that one recall gives

_SQL = load_queries("api.cli.sql", "trial.sql")


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a trial, with the ids of the documents that answer it."""

    text: str
    evidence: frozenset[str]
    group: str | None
    gem: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried.

    Attributes:
        documents: each with an id that is unique in its gem.
        apart: whether each value of `gem` is a corpus of its own.
    """

    documents: tuple[SourceDocument, ...]
    questions: tuple[Question, ...]
    ks: tuple[int, ...]
    apart: bool

    @property
    def depth(self) -> int:
        """How many distinct documents a ranking must hold."""
        return max(DEPTH_LEAST, *self.ks)

    def gem_of(self, document: SourceDocument) -> str:
        """Return the gem that a document goes to."""
        return (document.gem or ONE_GEM) if self.apart else ONE_GEM


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became of a trial.

    Attributes:
        asked: the questions as recall answered them.
        ablated: the same questions by the channel that recall did without; empty if no ablation was asked for.
    """

    asked: tuple[AskedQuestion, ...]
    ablated: Mapping[str, tuple[AskedQuestion, ...]]
    ks: tuple[int, ...]
    documents: int
    ingest_s: float

    def figures(self) -> Mapping[str, Mapping[str, float]]:
        """Return the figures: `overall`, then of each group."""
        return {"overall": summarise_recall(self.asked, self.ks), **summarise_recall_by_group(self.asked, self.ks)}

    def intervals(self) -> Mapping[str, Mapping[str, Interval]]:
        """Return where each figure lies with 95% confidence: `overall`, then of each group."""
        groups = split_by_group(self.asked)
        return {name: bound_recall(members, self.ks) for name, members in {"overall": self.asked, **groups}.items()}

    def as_json(self, *, intervals: bool) -> object:
        """Return the figures in JSON values."""
        overall, *groups = self.figures().items()
        value = {"overall": overall[1], "groups": dict(groups)}
        value |= {"ingest": {"documents": self.documents, "seconds": self.ingest_s}}
        if intervals:
            overall_bounds, *group_bounds = self.intervals().items()
            value |= {"intervals": {"overall": overall_bounds[1], "groups": dict(group_bounds)}}
        if self.ablated:
            value |= {"ablation": {channel: asdict(each) for channel, each in self.ablation().items()}}
        return value

    def ablation(self) -> Mapping[str, Ablation]:
        """Return what becomes of recall without each channel."""
        return {channel: compare_recall(self.asked, without, self.ks) for channel, without in self.ablated.items()}


def read_trial(documents: Path, questions: Path, ks: tuple[int, ...], *, apart: bool) -> Trial:
    """Read and check what is to be tried.

    Raises:
        InvalidInputError: a row is wrong; names the file and line.
    """
    trial = Trial(tuple(_read_documents(documents)), tuple(_read_questions(questions, apart=apart)), ks, apart)
    counts = Counter((trial.gem_of(document), document.external_id) for document in trial.documents)
    if repeated := next((name for (_, name), count in counts.items() if count > 1), None):
        advice = "" if apart else "; if `gem` keeps corpora apart, say --per gem"
        raise InvalidInputError("documents", f"the id {repeated} appears more than once{advice}")
    if not trial.questions:
        raise InvalidInputError("questions", "there are none with evidence")
    lost = sum((each.gem, document) not in counts for each in trial.questions for document in each.evidence)
    if lost:
        note(f"{counted(lost, 'id')} of evidence not among the documents: counted as not found")
    return trial


async def run_trial(
    settings: Settings, trial: Trial, without: Sequence[str] = (), *, ablation: bool = False
) -> TrialResult:
    """Carry a trial out in a lattice of its own, and remove that again.

    Args:
        settings: of the service.
        trial: what is tried.
        without: channels that are switched off throughout.
        ablation: whether to ask again without each of the other channels.
    """
    async with open_trial(settings, trial) as (opened, ingest_s):
        service = _switch_off(opened, without)
        asked = await _ask_all(service, trial, "Asking")
        others = [channel for channel in CHANNELS if channel not in without] if ablation else []
        ablated = {
            channel: await _ask_all(_switch_off(service, [channel]), trial, f"Asking without {channel}")
            for channel in others
        }
    return TrialResult(asked, ablated, trial.ks, len(trial.documents), ingest_s)


@asynccontextmanager
async def open_trial(settings: Settings, trial: Trial) -> AsyncIterator[tuple[Service, float]]:
    """Ingest the documents of a trial into a lattice of its own; give that, and the seconds that it took."""
    async with _open_fresh(settings) as service:
        started = time.perf_counter()
        with open_bar("Ingesting", "documents") as bar:
            await take_in(service, trial.documents, trial.gem_of, lambda report: show_progress(bar, report))
        yield service, time.perf_counter() - started


def _switch_off(service: Service, channels: Sequence[str]) -> Service:
    weights = service.recall.weights
    for channel in channels:
        weights = weights.without(channel)
    # what was found with other weights is not asked for again
    return replace(service, recall=replace(service.recall, weights=weights, cache=ResonanceCache()))


@asynccontextmanager
async def _open_fresh(settings: Settings) -> AsyncIterator[Service]:
    """Open a lattice that nobody else sees: a new tenant of the database that is set, else an embedded one."""
    if settings.database_url is not None:
        async with open_service(settings) as service:
            fresh = replace(service, tenant=uuid4())
            try:
                yield fresh
            finally:
                await _forget(fresh)
        return
    with tempfile.TemporaryDirectory(prefix="lattice-", ignore_cleanup_errors=True) as folder:
        async with open_service(settings.model_copy(update={"data_dir": Path(folder)})) as service:
            yield service


async def _forget(service: Service) -> None:
    async with service.database.transaction(service.tenant) as conn:
        await conn.execute(_SQL["forget_gems"])
        await conn.execute(_SQL["forget_lattice"])


async def find_gems(service: Service, trial: Trial) -> Mapping[str, UUID]:
    """Return the id of each gem that is asked, by its name."""
    at = service.at()
    names = sorted({question.gem for question in trial.questions})
    return {name: (await service.gems.ensure(service.tenant, name, at)).gem_id for name in names}


async def _ask_all(service: Service, trial: Trial, label: str) -> tuple[AskedQuestion, ...]:
    gems = await find_gems(service, trial)
    asked = []
    with open_bar(label, "questions") as bar:
        for done, question in enumerate(trial.questions, start=1):
            ranking, seconds = await _ask(service, question.text, gems[question.gem], trial.depth)
            asked.append(AskedQuestion(ranking, question.evidence, question.group, seconds))
            bar.advance_to(done, len(trial.questions))
    return tuple(asked)


async def _ask(service: Service, question: str, gem_id: UUID, depth: int) -> tuple[tuple[str, ...], float]:
    """Return the ranking of documents and the seconds that recall took; k grows until it has enough of them."""
    at, k, seconds = service.at(), min(2 * depth, MOST_PASSAGES), 0.0
    while True:
        started = time.perf_counter()
        passages = await service.recall.recall(service.tenant, RecallQuery(question, (gem_id,), k), at)
        seconds += time.perf_counter() - started
        ranking = rank_documents(str(passage.external_id) for passage in passages)
        if len(ranking) >= depth or len(passages) < k or k == MOST_PASSAGES:
            return ranking[:depth], seconds
        k = min(2 * k, MOST_PASSAGES)


def _read_documents(path: Path) -> Iterator[SourceDocument]:
    with path.open("rb") as stream:
        for number, row in enumerate(read_sources(["-"], input_format=".jsonl", standard_input=stream), start=1):
            if isinstance(row, SourceProblem):
                raise InvalidInputError("documents", str(replace(row, name=str(path))))
            if row.external_id is None:
                raise InvalidInputError("documents", f"{path}: row {number} has no id")
            yield row


def _read_questions(path: Path, *, apart: bool) -> Iterator[Question]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as e:
            raise InvalidInputError("questions", f"{where}: is not JSON: {e}") from e
        text, evidence = (row.get("question"), row.get("evidence")) if isinstance(row, dict) else (None, None)
        if not (isinstance(text, str) and text.strip() and _is_ids(evidence)):
            raise InvalidInputError("questions", f"{where}: needs `question`, a text, and `evidence`, a list of ids")
        group = row.get("group")
        gem = str(row.get("gem") or ONE_GEM) if apart else ONE_GEM
        if evidence:
            yield Question(text, frozenset(map(str, evidence)), None if group is None else str(group), gem)
        else:
            note(f"{where}: has no evidence and is passed over")


def _is_ids(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(i, str | int) for i in value)
