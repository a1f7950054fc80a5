"""The language of conditions: expr-lang v1.17.8, exactly as Argo Rollouts embeds it.

``lexer`` and ``parser`` make a tree of ``nodes``; ``checker`` finds what can never work;
``folding`` and ``rewrites`` take the reference's short cuts; ``lowering`` makes a small Python tree
of calls; ``machine``, which is asteval, runs it over the functions of the other modules.
``writing`` makes text of a tree again; ``thresholds`` finds the numbers that a result is compared
with; ``dissection`` runs the pieces of a condition one by one.
"""

from gateway.expr.dissection import dissected
from gateway.expr.environment import Root
from gateway.expr.program import Program, compile_expression, evaluate_time
from gateway.expr.records import metric_data, typed_list
from gateway.expr.regexps import searching
from gateway.expr.thresholds import Threshold, only_limit, thresholds
from gateway.expr.values import Floats, go_type

__all__ = [
    "Floats",
    "Program",
    "Root",
    "Threshold",
    "compile_expression",
    "dissected",
    "evaluate_time",
    "go_type",
    "metric_data",
    "only_limit",
    "searching",
    "thresholds",
    "typed_list",
]
