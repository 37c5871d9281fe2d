"""Graphs with fewer operators that compute the same, by onnxscript."""

from __future__ import annotations

import onnx
from onnx import ModelProto
from onnxscript import optimizer, rewriter
from onnxscript.rewriter import pattern

_SIZE = 2**26
"""Numbers in a constant that is computed here instead of at each load: more than any weight has."""


def simplified(model: ModelProto) -> ModelProto:
    """A new model, whose constants are computed, and some groups of operators are one."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    optimizer.fold_constants(model, input_size_limit=_SIZE, output_size_limit=_SIZE)
    simple: ModelProto = rewriter.rewrite(model, pattern_rewrite_rules=_RULES)
    return simple


def _guarded_softplus(op, x, limit):  # type: ignore[no-untyped-def]
    return op.Where(op.Greater(x, limit), x, op.Softplus(x))


def _softplus(op, x, limit):  # type: ignore[no-untyped-def]
    """Onnxruntime's does not overflow, and is x where x is large."""
    return op.Softplus(x)


def _sum_of_powers(op, x, axes):  # type: ignore[no-untyped-def]
    return op.ReduceSum(op.Pow(x, 2.0), axes, _outputs=["total"])


def _sum_of_squares(op, x, axes, total):  # type: ignore[no-untyped-def]
    attributes = total.producer().attributes
    return op.ReduceSumSquare(
        x, axes, **{name: attributes[name] for name in ("keepdims",) if name in attributes}
    )


_RULES = [
    pattern.RewriteRule(_guarded_softplus, _softplus),
    pattern.RewriteRule(_sum_of_powers, _sum_of_squares),
]
