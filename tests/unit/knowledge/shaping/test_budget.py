import pytest

from knowledge.shaping.budget import fit


@pytest.mark.parametrize(
    ("sizes", "most", "chosen"),
    [
        ([10, 20, 30], None, [0, 1, 2]),
        ([10, 20, 30], 60, [0, 1, 2]),
        ([10, 20, 30], 59, [0, 1]),
        ([90, 20, 30, 10], 60, [1, 2, 3]),
        ([50, 20, 10], 60, [0, 2]),
        ([5, 6], 4, []),
        ([], 4, []),
    ],
)
def test_what_does_not_fit_is_left_out_and_the_next_is_tried(
    sizes: list[int], most: int | None, chosen: list[int]
) -> None:
    assert fit(sizes, most) == chosen
