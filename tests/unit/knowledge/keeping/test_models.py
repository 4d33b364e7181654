import pytest

from core.errors import ConflictError
from knowledge.keeping.models import LatticeModels, choose_task
from knowledge.keeping.progress import ReembedProgress

STAYS = LatticeModels("old", 384, "embedding", None, None)
MOVES = LatticeModels("old", 384, "embedding", "new", 768)


@pytest.mark.parametrize(
    ("models", "model", "dimension", "task"),
    [
        (None, "new", 768, "nothing"),
        (LatticeModels(None, None, "embedding", None, None), "new", 768, "nothing"),
        (STAYS, "old", 384, "complete"),
        (STAYS, "new", 768, "move"),
        (STAYS, "old", 256, "move"),  # a model may be asked for fewer dimensions
        (MOVES, "new", 768, "move"),
    ],
)
def test_what_a_lattice_needs_follows_from_its_models(
    models: LatticeModels | None, model: str, dimension: int, task: str
) -> None:
    assert choose_task(models, model, dimension) == task


@pytest.mark.parametrize(("model", "dimension"), [("old", 384), ("third", 768), ("new", 384)])
def test_a_lattice_that_moves_goes_nowhere_else(model: str, dimension: int) -> None:
    with pytest.raises(ConflictError, match="moving to new"):
        choose_task(MOVES, model, dimension)


def test_the_other_column_is_the_other_one() -> None:
    assert STAYS.other == "embedding_b"
    assert LatticeModels("old", 384, "embedding_b", None, None).other == "embedding"


def test_the_time_left_follows_the_rate() -> None:
    assert ReembedProgress(total=10).left_s is None
    assert ReembedProgress(done=4, total=10, seconds=2.0).left_s == pytest.approx(3.0)
    assert ReembedProgress(done=12, total=10, seconds=2.0).left_s == 0
