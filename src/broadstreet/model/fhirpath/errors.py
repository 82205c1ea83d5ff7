"""What can be wrong with an expression, or with what it is asked of."""

from __future__ import annotations

LONGEST_SHOWN = 120


class FhirpathError(ValueError):
    """An expression that cannot be read, compiled or evaluated.

    Attributes
    ----------
    reason
        What is wrong.
    at
        The place in the expression, counted from 0; None where it is the data that are wrong.
    """

    def __init__(self, reason: str, at: int | None = None, expression: str = "") -> None:
        self.reason = reason
        self.at = at
        self.expression = expression
        super().__init__(reason)

    def within(self, expression: str) -> FhirpathError:
        """Name the expression in which the error happened, unless it is known."""
        self.expression = self.expression or expression
        return self

    def __str__(self) -> str:
        place = "" if self.at is None else f" at {self.at}"
        shown = self.expression
        if len(shown) > LONGEST_SHOWN:
            start = max(0, (self.at or 0) - LONGEST_SHOWN // 2)
            shown = f"...{shown[start : start + LONGEST_SHOWN]}..."
        return f"{self.reason}{place} in '{shown}'" if shown else f"{self.reason}{place}"


class SyntaxInvalid(FhirpathError):
    """The text is not FHIRPath."""


class TypeInvalid(FhirpathError):
    """The expression asks for an element or a type that is not there."""


class Unsupported(FhirpathError):
    """FHIRPath, but of the part that is not implemented."""


class EvaluationError(FhirpathError):
    """The expression does not fit what it was asked of."""


class TooCostly(EvaluationError):
    """The evaluation grew beyond its limits."""
