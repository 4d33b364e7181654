"""What fits into a budget of tokens. Pure."""

from collections.abc import Sequence


def fit(sizes: Sequence[int], most: int | None) -> list[int]:
    """Return the indices of what fits into a budget together, best first; all without a budget.

    What does not fit is left out and the next is tried: to stop there would let one long passage hide all that are
    worth less, and give an empty answer if it came first.

    Args:
        sizes: tokens of each, best first.
        most: tokens of all together.
    """
    if most is None:
        return list(range(len(sizes)))
    chosen, left = [], most
    for i, size in enumerate(sizes):
        if size <= left:
            chosen.append(i)
            left -= size
    return chosen
