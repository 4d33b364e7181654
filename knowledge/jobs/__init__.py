"""Work that outlives the process that was asked for it: the queue, its workers, and ingestions."""

from knowledge.jobs.backlog import Backlog, measure_backlog
from knowledge.jobs.feeding import Feeding
from knowledge.jobs.handlers import list_kinds
from knowledge.jobs.ingesting import IngestionWork
from knowledge.jobs.ingestions import Ingestions, Receiving
from knowledge.jobs.open_jobs import OpenJobs, list_open_jobs
from knowledge.jobs.queue import Kind, defer
from knowledge.jobs.rows import NO_NAME, number_rows
from knowledge.jobs.run import Run
from knowledge.jobs.store import IngestionProblem, IngestionRecord
from knowledge.jobs.tally import Counts, Tally, add_reports
from knowledge.jobs.worker import WorkerConfig, Workers

__all__ = [
    "NO_NAME",
    "Backlog",
    "Counts",
    "Feeding",
    "IngestionProblem",
    "IngestionRecord",
    "IngestionWork",
    "Ingestions",
    "Kind",
    "OpenJobs",
    "Receiving",
    "Run",
    "Tally",
    "WorkerConfig",
    "Workers",
    "add_reports",
    "defer",
    "list_kinds",
    "list_open_jobs",
    "measure_backlog",
    "number_rows",
]
