"""`python -m api.cli` is `lattice`, also where that is not installed."""

from api.cli import main

main()
