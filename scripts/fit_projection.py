"""Fit what makes token states small, and ship it with the local model.

Run as `python -m scripts.fit_projection TEXTS...`: files of JSON lines with `text` and perhaps `title`, of general
prose (an encyclopedia does). Writes `projection.npz` beside the model: the mean of the token states and their
STATE_SIZE principal directions. A few hundred thousand tokens are enough; what they were matters little, since the
same file serves conversations as well as prose (docs/recall.md).
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from knowledge.embedding import STATE_SIZE
from knowledge.minilm import DIMENSION, FOLDER, Encoder


def fit(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of all token states, shape (d,), and their principal directions, shape (d, STATE_SIZE)."""
    encoder = Encoder(FOLDER)
    total, square, count = np.zeros(DIMENSION), np.zeros((DIMENSION, DIMENSION)), 0
    for number, text in enumerate(texts, start=1):
        states = encoder.encode(text).states[1:-1].astype(np.float64)
        total += states.sum(axis=0)
        square += states.T @ states
        count += len(states)
        if number % 500 == 0:
            print(f"{number:,} of {len(texts):,} texts, {count:,} tokens", flush=True)
    mean = total / count
    values, vectors = np.linalg.eigh(square / count - np.outer(mean, mean))
    directions = vectors[:, ::-1][:, :STATE_SIZE]
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), range(STATE_SIZE)])
    print(f"{STATE_SIZE} directions hold {values[::-1][:STATE_SIZE].sum() / values.sum():.3f} of the variance")
    return mean, directions


def main() -> None:
    """Read the command line, fit, write."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fit_projection", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="TEXTS")
    rows = [json.loads(line) for file in parser.parse_args().files for line in file.read_text("utf-8").splitlines()]
    mean, directions = fit([". ".join(filter(None, (row.get("title"), row["text"]))) for row in rows])
    path = FOLDER / "projection.npz"
    np.savez(path, mean=mean.astype(np.float32), directions=directions.astype(np.float32))
    sums = FOLDER / "SHA256SUMS"
    kept = [line for line in sums.read_text("utf-8").splitlines() if not line.endswith(path.name)]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sums.write_text(
        "\n".join(sorted([*kept, f"{digest}  {path.name}"], key=lambda line: line.split()[1])) + "\n", "utf-8"
    )


if __name__ == "__main__":
    main()
