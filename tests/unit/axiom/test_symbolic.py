import sys
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axiom import TERM_NAMES, Terms, compute_intelligence, gradient, symbolic_axiom
from core.errors import ConfigurationError

sympy = pytest.importorskip("sympy")
quick = settings(deadline=None, max_examples=40)
units = st.floats(0.0, 1.0)
bounded = st.builds(
    Terms[float], units, units, units, units, units, st.floats(0.0, 9.0), st.floats(0.0, 64.0), st.floats(-1.0, 1.0)
)
AXIOM = symbolic_axiom()
SCORE = AXIOM.to_function()
SLOPES = {name: AXIOM.to_function(AXIOM.derivatives[name]) for name in TERM_NAMES}


def test_the_expression_is_the_equation() -> None:
    a, b, c, x, y, z, e, f = (AXIOM.symbols[name] for name in TERM_NAMES)
    assert sympy.simplify(AXIOM.expression - e * (1 + f) * x * y * z * a * b * c) == 0
    assert AXIOM.derivatives["F"] == a * b * c * e * x * y * z
    assert [str(symbol) for symbol in AXIOM.symbols.values()] == ["A", "B", "C", "X", "Y", "Z", "E_n", "F_n"]


@quick
@given(st.lists(bounded, min_size=1, max_size=4))
def test_symbols_score_as_floats_and_arrays_do(rows: list[Terms[float]]) -> None:
    columns = [np.array(column) for column in zip(*map(astuple, rows), strict=True)]
    scores = np.asarray(SCORE(*columns))
    assert np.asarray(compute_intelligence(*columns)) == pytest.approx(scores, rel=1e-13, abs=1e-300)
    for row, score in zip(rows, scores, strict=True):
        assert SCORE(*astuple(row)) == pytest.approx(score, rel=1e-13, abs=1e-300)
        assert compute_intelligence(*astuple(row)) == pytest.approx(score, rel=1e-13, abs=1e-300)


@quick
@given(bounded)
def test_derivatives_are_the_gradient(terms: Terms[float]) -> None:
    slopes = gradient(terms)
    for name in TERM_NAMES:
        assert SLOPES[name](*astuple(terms)) == pytest.approx(getattr(slopes, name), rel=1e-13, abs=1e-300)


def test_without_sympy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ConfigurationError, match=r"crystal-lattice\[symbolic\]"):
        symbolic_axiom()
