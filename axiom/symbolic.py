"""The equation as symbols, for those who want to reason with it; needs sympy, the extra `symbolic`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from axiom.equation import ARGUMENTS, TERM_NAMES, Float, TermName, Terms, intelligence
from core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class SymbolicAxiom:
    """The intelligence equation in sympy's terms.

    Attributes:
        symbols: by the terms' names; A, B, C, X, Y, Z, E_n and F_n, the last real, the others non-negative.
        expression: the score, within the terms' bounds (it does not clamp).
        derivatives: of the score by each term.
    """

    symbols: Mapping[TermName, Any]
    expression: Any
    derivatives: Mapping[TermName, Any]

    def to_function(self, expression: object = None) -> Callable[..., Float]:
        """Return an expression in these symbols as a function of eight floats or arrays, A to Z, E_n, F_n.

        Args:
            expression: such as a derivative; the score if None.
        """
        sympy = _sympy()
        wanted = self.expression if expression is None else expression
        function: Callable[..., Float] = sympy.lambdify([self.symbols[name] for name in TERM_NAMES], wanted, "numpy")
        return function


def symbolic_axiom() -> SymbolicAxiom:
    """Return the equation with its derivatives.

    Raises:
        ConfigurationError: sympy is not installed; names the extra.
    """
    sympy = _sympy()
    symbols = {
        name: sympy.Symbol(ARGUMENTS[name], **({"real": True} if name == "F" else {"nonnegative": True}))
        for name in TERM_NAMES
    }
    expression = sympy.nsimplify(intelligence(Terms[Any](**symbols)))  # its 1.0 as the number 1
    return SymbolicAxiom(symbols, expression, {name: expression.diff(symbols[name]) for name in TERM_NAMES})


def _sympy() -> Any:  # noqa: ANN401 - the package ships no types
    try:
        import sympy  # noqa: PLC0415
    except ImportError as e:
        raise ConfigurationError("symbols need an extra: pip install 'crystal-lattice[symbolic]'") from e
    return sympy
