"""The names and titles of tables, figures and formats, declared once. Importing it loads nothing else."""

from typing import Literal, get_args

FIGURES = {
    "learning-curves": "Learning curves",
    "iqm": "IQM over training",
    "scores": "Scores",
    "intervals": "Aggregates over datasets",
    "profiles": "Performance profiles",
    "improvement": "Probability of improvement",
    "comparison": "Differences from the baseline",
    "sensitivity": "Sensitivity to a hyper-parameter",
    "sensitivity-differences": "Differences to the default value",
    "mixtures": "Mixtures of datasets",
    "worst-episode": "The worst episode",
    "worst-evaluation": "The worst evaluation",
    "returns": "Returns in the data and learnt from it",
    "q-values": "Q-values and λ over training",
    "predicted-values": "Predicted Q against the return obtained",
    "run-time": "Run time",
    "online-performance": "Expected online performance",
    "selection-cost": "Score against episodes used for selection",
    "responses": "Response to each hyper-parameter",
    "parallel-coordinates": "Samples of searches",
}
METRIC_FIGURE = "metric-"
"""A figure of this name and a metric, such as metric-critic_loss, shows the metric over training."""
METRICS_WITH_THEIR_OWN_FIGURE = ("q1", "lambda")

TABLES = {
    "scores": "Scores",
    "statistics": "Aggregates over datasets",
    "comparison": "Comparison with the baseline",
    "improvement": "Probability of improvement",
    "run-time": "Run time",
    "seeds": "Every seed",
    "online-performance": "Expected online performance",
    "offline-selection": "Selection from data alone",
    "importance": "Importance of hyper-parameters",
    "samples": "Samples of searches",
}

FIGURE_FORMATS = ("png", "pdf", "svg")
TABLE_SUFFIXES = {"markdown": ".md", "latex": ".tex", "csv": ".csv", "html": ".html", "json": ".json"}
TABLE_FORMATS = ("terminal", *TABLE_SUFFIXES)
SAMPLE_RULES = {
    "best": "the best in hindsight over all datasets",
    "best-per-dataset": "the best in hindsight on each dataset",
    "fqe": "the one that fitted Q evaluation selects on each dataset, next to the best there",
    "td_error": "the same by the TD error",
    "all": "each of them",
}
"""The choices of `--select`: the samples of a search for hyper-parameters that are shown."""
Score = Literal["final", "last", "best"]
SCORES = get_args(Score)
Spread = Literal["sd", "se", "ci"]
"""The choices of `--error`: standard deviation, standard error or 95 % t interval."""
WIDTH = 5.5
"""The default of `--width` in inches: the text of a NeurIPS paper."""
FONT = "DejaVu Sans"
Expectation = Literal["same", "better"]
"""The choices of `--expect`."""
OFFLINE_RULES = {"fqe": "FQE", "td_error": "TD error"}
"""The rules that select policies without the environment, and their titles; each is a column of
offline_estimates.csv."""


def figure_title(name: str) -> str:
    """Return the title of a figure, also of one of a metric."""
    return FIGURES.get(name) or f"{name.removeprefix(METRIC_FIGURE)} over training"
