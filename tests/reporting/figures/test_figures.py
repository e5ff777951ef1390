import io
import itertools
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from PIL import Image

from harness import experiment_file
from harness.errors import HarnessError
from harness.reporting import figures, published, reading
from harness.reporting.figures import FIGURES, Material, draw, render, write
from harness.reporting.figures.drawing import BEHAVIOUR
from harness.reporting.figures.instability import worst_episodes, worst_evaluations
from harness.reporting.figures.layout import wrapped
from harness.reporting.figures.percent import percent_difference
from harness.reporting.figures.style import COLORS, SMALLEST, looks, style
from harness.reporting.figures.sweep import shares_of_last_part
from harness.reporting.reading import records
from harness.reporting.tables.model import Kind
from harness.reporting.tables.scores import score_table
from tests import synthetic

pytestmark = pytest.mark.filterwarnings("error")

OF_SEARCHES = ("online-performance", "selection-cost", "responses", "parallel-coordinates")
EXPERIMENTS = Path(__file__).parents[3] / "experiments"


@pytest.fixture(scope="module")
def material(sweep):
    generator = np.random.default_rng(0)
    return Material(
        sweep, behaviour_returns={name: generator.normal(-500, 90, 60) for name in sweep.datasets}
    )


@pytest.fixture(scope="module")
def drawn(material):
    """Return a function that draws each figure of the sweep once for each width."""

    @cache
    def draw_once(name, width=5.5):
        return draw(name, replace(material, width=width))

    return draw_once


@pytest.fixture(scope="module")
def one_seed(tmp_path_factory):
    experiment = synthetic.experiment(
        {"td3_bc": {}, "bc": {}}, datasets=["hopper-medium-v2"], seeds=1,
        sweep={"algorithms.td3_bc.alpha": [1, 2.5]},
    )  # fmt: skip
    results = reading.load(synthetic.write(tmp_path_factory.mktemp("one") / "seed", experiment))
    return Material(results, behaviour_returns={"hopper-medium-v2": np.arange(9.0)})


@pytest.fixture(scope="module")
def long_names(tmp_path_factory):
    experiment = synthetic.experiment(
        algorithms={f"{letter}-{'LONG' * 12}": {"algorithm": "bc"} for letter in "abcdefgh"},
        datasets=[f"minari:mujoco/{task}/medium-expert-v0" for task in ("halfcheetah", "walker2d", "hopper")],
        steps=2_000,
    )
    return reading.load(synthetic.write(tmp_path_factory.mktemp("long") / "run", experiment))


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "mixtures"])
def test_every_figure_is_drawn_with_a_caption(drawn, name):
    drawing = drawn(name)
    picture = Image.open(io.BytesIO(render(drawing, "png"))).convert("L")
    assert picture.width > 400
    assert np.asarray(picture).std() > 5, "something is drawn"
    assert drawing.caption.endswith(".")


def test_the_same_results_give_the_same_bytes(sweep):
    first, second = (draw("scores", Material(sweep)) for _ in range(2))
    for file_format in ("png", "pdf", "svg"):
        assert render(first, file_format) == render(second, file_format)


def test_files_and_captions(tmp_path, results):
    written, left_out = figures.write(tmp_path, Material(results), ["scores", "sensitivity"], ["svg", "pdf"])
    assert [path.name for path in written] == ["scores.svg", "scores.pdf"]
    assert left_out == {"sensitivity": "no hyper-parameter was swept on its own"}
    assert (tmp_path / "scores.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "captions.txt").read_text().startswith("scores: Normalized score")


def test_figure_of_a_metric_with_a_slash_is_written_into_the_folder(tmp_path, drawn, material, monkeypatch):
    monkeypatch.setattr(figures, "draw", lambda *_: drawn("scores"))
    written, _ = figures.write(tmp_path, material, ["metric-../q/loss"], ["svg"])
    assert written == [tmp_path / "metric-.._q_loss.svg"]


def test_published_levels_are_drawn_and_named_in_the_caption(d4rl):
    drawing = draw("learning-curves", Material(d4rl, published=[published.load("corl-last")]))
    assert "corl-last" in drawing.caption
    medium = next(axis for axis in drawing.figure.axes if axis.get_title() == "Hopper medium")
    levels = {
        round(float(line.get_ydata()[0]), 2) for line in medium.lines if "corl-last" in str(line.get_label())
    }
    assert levels == {60.37, 53.51}


def test_chosen_published_algorithms_are_levels_with_a_colour_of_their_own(d4rl):
    material = Material(d4rl, published=[published.load("corl-last:td3_bc,iql")])
    curves = draw("learning-curves", material)
    medium = next(axis for axis in curves.figure.axes if axis.get_title() == "Hopper medium")
    levels = {line.get_label(): line for line in medium.lines if "corl-last" in str(line.get_label())}
    assert {name: float(line.get_ydata()[0]) for name, line in levels.items()} == {
        "TD3+BC, corl-last": 60.37,
        "IQL, corl-last": 67.53,
    }
    ours = {line.get_label(): line.get_color() for line in medium.lines if line not in levels.values()}
    assert levels["TD3+BC, corl-last"].get_color() == ours["TD3+BC"]
    assert levels["IQL, corl-last"].get_color() not in ours.values()


@pytest.mark.parametrize("name", ["learning-curves", "scores"])
def test_a_dataset_published_as_another_gets_the_levels_of_that_one(local_files, name):
    drawing = draw(name, Material(local_files, published=[published.load("corl-last:iql")]))
    lines = [line for axis in drawing.figure.axes for line in axis.lines]
    assert 3.26 in {float(of[0]) for line in lines for of in (line.get_xdata(), line.get_ydata())}
    assert drawing.caption.endswith("Published scores on mine are those on door-human-v1.")


def test_sources_of_published_scores_are_distinguishable(d4rl):
    sources = [published.load(name) for name in ("td3_bc-paper-v2", "corl-last")]
    drawing = draw("scores", Material(d4rl, published=sources))
    entries = drawing.figure.legends[0].legend_handles
    lines = {one.get_label(): one._dash_pattern for one in entries if "-" in one.get_label()}
    assert lines["td3_bc-paper-v2"] != lines["corl-last"]


def test_published_scores_are_not_drawn_for_returns(d4rl):
    returns = records.from_frame(
        d4rl.frame[["algorithm", "dataset", "seed", "step", "return_mean"]].copy(), "log.csv"
    )
    bare = draw("scores", Material(returns)).figure.axes[0]
    drawing = draw("scores", Material(returns, published=[published.load("corl-last")]))
    assert len(drawing.figure.axes[0].lines) == len(bare.lines)
    assert "corl-last" not in drawing.caption


def test_a_long_legend_takes_no_room_from_the_panel(drawn):
    drawing = drawn("profiles")
    render(drawing, "png")
    axis = drawing.figure.axes[0]
    label = axis.yaxis.label.get_window_extent()
    assert label.height < axis.get_window_extent().height


def test_dollars_in_names_are_not_formulas(sweep):
    nasty = r"cost$\frac$"
    rows = sweep.frame[["algorithm", "dataset", "seed", "step", "normalized_score"]].astype(
        {"algorithm": str, "dataset": str}
    )
    named = records.from_frame(rows.replace({"bc": nasty, "pendulum-medium-v0": nasty}), "log.csv")
    for name in ("learning-curves", "scores", "comparison"):
        assert draw(name, Material(named)).figure.axes


def test_algorithms_differ_in_colour_marker_line_and_hatch():
    found = looks(["td3_bc", "td3", "bc", *(f"a{number}" for number in range(7))])
    for part in ("color", "marker", "line", "hatch"):
        assert len({str(getattr(look, part)) for look in found.values()}) == 10


def test_wrapped_measures_the_font_in_use():
    text = "iiii iiii iiii iiii"
    width = TextPath((0, 0), text, size=8).get_extents().width / 72
    with style():
        assert wrapped(text, 1.05 * width, 8) == text
    with style(font="DejaVu Sans Mono"):
        assert "\n" in wrapped(text, 1.05 * width, 8)


def test_a_diverged_seed_breaks_its_curve_and_its_bar(tmp_path):
    experiment = synthetic.experiment(algorithms=("td3_bc", "bc"))
    rows = synthetic.frame(experiment)
    rows.loc[
        (rows["algorithm"] == "bc") & (rows["seed"] == 1) & (rows["step"] > 5_000), "normalized_score"
    ] = np.nan
    results = reading.load(synthetic.write(tmp_path / "run", experiment, rows))
    steps, curves = results.curves(results.datasets[0], "normalized_score")["bc"]
    assert np.isnan(curves.mean(axis=0)[steps > 5_000]).all()
    for name in ("scores", "intervals"):
        axis = draw(name, Material(results)).figure.axes[0]
        (text, *_) = [text for text in axis.texts if text.get_text() == "NaN"]
        assert axis.bbox.contains(*text.get_window_extent().p0), "it is in sight"
    for name in ("learning-curves", "iqm"):
        bands = draw(name, Material(results)).figure.axes[0].collections
        assert len(bands) == 2, "that of bc ends where the seed diverged"
    texts = draw("worst-evaluation", Material(results)).figure.axes[0].texts
    assert [text.get_text() for text in texts] == ["NaN"]


def test_iqm_names_the_variants_that_it_leaves_out(results):
    is_left_out = (results.frame["algorithm"] == "bc") & (results.frame["seed"] == 0)
    is_left_out &= results.frame["dataset"] == results.datasets[0]
    drawing = draw("iqm", Material(replace(results, frame=results.frame[~is_left_out])))
    assert drawing.caption.endswith("BC is left out: seeds or evaluations differ between datasets.")
    assert [text.get_text() for text in drawing.figure.legends[0].texts] == ["TD3+BC", "TD3"]


@pytest.mark.parametrize("value", [np.nan, -100.0])
def test_returns_that_are_nan_or_all_the_same_have_no_violin(tmp_path, value):
    experiment = synthetic.experiment(algorithms=("td3_bc", "bc", "td3"), datasets=("pendulum-medium-v0",))
    rows = synthetic.frame(experiment)
    of_bc = rows["algorithm"] == "bc"
    rows["episode_returns"] = [
        [value] * 10 if bc else list(returns)
        for bc, returns in zip(of_bc, rows["episode_returns"], strict=True)
    ]
    results = reading.load(synthetic.write(tmp_path / "run", experiment, rows))
    behaviour = {"pendulum-medium-v0": np.arange(-900.0, -800.0)}
    drawing = draw("returns", Material(results, behaviour_returns=behaviour))
    hatches = [body.get_hatch() or "" for body in drawing.figure.axes[0].collections]
    look = looks(results.algorithms)
    assert hatches == ["", look["td3_bc"].hatch, look["td3"].hatch]


def test_percent_differences():
    assert percent_difference(80, 100) == -20
    assert percent_difference(-120, -100) == -20
    assert np.isnan(percent_difference(1, 0))


def test_worst_evaluations_are_those_of_the_final_ten(results):
    trial = results.frame[
        (results.frame["algorithm"] == "bc")
        & (results.frame["dataset"] == "pendulum-expert-v0")
        & (results.frame["seed"] == 1)
    ]["normalized_score"].to_numpy()[-10:]
    expected = 100 * (trial.min() - trial.mean()) / trial.mean()
    assert percent_difference(*worst_evaluations(results)["bc", "pendulum-expert-v0"][1]) == pytest.approx(
        expected
    )


def test_worst_episodes_are_those_of_the_last_evaluation(results):
    last = results.frame[
        (results.frame["algorithm"] == "bc")
        & (results.frame["dataset"] == "pendulum-expert-v0")
        & (results.frame["seed"] == 1)
    ].iloc[-1]
    scores = (np.asarray(last["episode_returns"]) - synthetic.WORST_RETURN) / synthetic.RETURN_PER_SCORE
    expected = 100 * (scores.min() - scores.mean()) / scores.mean()
    assert percent_difference(*worst_episodes(results)["bc", "pendulum-expert-v0"][1]) == pytest.approx(
        expected
    )


def test_normalizer_is_found_from_the_records(results):
    slope, intercept = results.normalizer("pendulum-expert-v0")
    assert slope == pytest.approx(1 / synthetic.RETURN_PER_SCORE)
    assert intercept == pytest.approx(-synthetic.WORST_RETURN / synthetic.RETURN_PER_SCORE)


def test_baseline_is_the_requested_variant_or_the_full_algorithm(results, sweep):
    assert Material(results).baseline == "td3_bc"
    assert Material(sweep).baseline == "td3_bc@alpha=2.5"
    assert Material(sweep, reference="bc").baseline == "bc"


def test_figures_that_need_what_is_not_recorded_say_so(results):
    rows = results.frame[results.frame["dataset"].isin(results.datasets[:2])]
    bare = records.from_frame(
        rows[["algorithm", "dataset", "seed", "step", "normalized_score"]].copy(), "log.csv"
    )
    for name in ("worst-episode", "returns", "q-values", "predicted-values", "run-time", "sensitivity"):
        with pytest.raises(HarnessError):
            draw(name, Material(bare))
    for name in ("learning-curves", "scores", "intervals", "profiles", "improvement", "worst-evaluation"):
        draw(name, Material(bare))


def test_mixtures_are_ordered_by_the_share_of_the_last_part(tmp_path):
    datasets = [
        {"name": "half", "mixture": {"pendulum-random-v0": 0.5, "pendulum-expert-v0": 0.5}},
        {"name": "none", "mixture": {"pendulum-random-v0": 1.0}},
        {"name": "all", "mixture": {"pendulum-expert-v0": 1.0}},
    ]
    results = reading.load(synthetic.write(tmp_path / "run", synthetic.experiment(datasets=datasets)))
    assert shares_of_last_part(results) == ("Pendulum expert", {"none": 0.0, "half": 0.5, "all": 1.0})
    drawing = draw("mixtures", Material(results))
    assert "share of Pendulum expert" in drawing.caption
    assert drawing.figure.axes[0].get_xlabel() == "Share of Pendulum expert [%]"
    assert list(drawing.figure.axes[0].lines[0].get_xdata()) == [0, 50, 100]


def test_mixtures_of_other_results_are_rejected(results):
    with pytest.raises(HarnessError, match="not mixtures"):
        draw("mixtures", Material(results))


@pytest.mark.parametrize("name", ["alpha", "ablations", "data-mixture", "seeds"])
def test_the_experiments_of_the_figures_are_read(name):
    experiment = experiment_file.load(EXPERIMENTS / f"{name}.yaml")
    assert experiment.name == name
    trials = {"alpha": 9 * 2 * 5, "ablations": 4 * 2 * 5, "data-mixture": 3 * 7 * 5, "seeds": 3 * 2 * 20}
    assert len(experiment.trials()) == trials[name]


def test_an_algorithm_looks_the_same_in_any_company():
    alone = looks(["td3_bc", "td3", "bc"])
    among = looks(["bc", "td3_bc@alpha=1", "td3_bc", "TD3+BC", "td3"])
    assert {name: among[name] for name in alone} == alone
    assert len({look.color for look in among.values()}) == 5, "two spellings are two algorithms still"


@pytest.mark.parametrize("color", COLORS)
def test_colours_stand_out_from_white(color):
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    assert 1.05 / (np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05) > 2.2


def without_scores(tmp_path, datasets, bare, **more):
    """Results where some datasets have returns only."""
    experiment = synthetic.experiment(datasets=datasets, **more)
    rows = synthetic.frame(experiment)
    rows.loc[rows["dataset"].isin(bare), "normalized_score"] = np.nan
    return reading.load(synthetic.write(tmp_path / "run", experiment, rows))


def test_datasets_are_in_the_order_of_the_table(tmp_path):
    names = [f"{task}-{quality}-v1" for task in ("pen", "door") for quality in ("human", "cloned")]
    results = without_scores(tmp_path, ["mine", *names], ["mine"])
    rows = score_table(results).rows
    order = [row.key for row in rows if row.kind is Kind.DATA]
    panels = draw("learning-curves", Material(results)).figure.axes
    assert [axis.get_title() for axis in panels if axis.get_title()] == [
        row.label.removesuffix(" (return)") for row in rows if row.kind is Kind.DATA
    ]
    assert Material(results).datasets == order == [names[0], names[2], names[1], names[3], "mine"]


@pytest.mark.parametrize(
    "name", [name for name in FIGURES if name not in ("mixtures", "comparison", *OF_SEARCHES)]
)
def test_captions_name_a_spread_only_of_several_seeds(one_seed, drawn, name):
    spread = re.compile(r"shaded|whiskers|intervals|± standard deviation")
    assert not spread.search(draw(name, one_seed).caption)
    assert spread.search(drawn(name).caption) or name in ("returns", "predicted-values")


def test_captions_name_the_missing_trials(tmp_path):
    rows = synthetic.frame(synthetic.experiment())
    lacking = (rows["algorithm"] == "bc") & (rows["dataset"] == "pendulum-medium-v0") & (rows["seed"] == 2)
    results = reading.load(synthetic.write(tmp_path / "run", synthetic.experiment(), rows[~lacking]))
    write(tmp_path, Material(results), ["scores"], ["svg"])
    assert (
        (tmp_path / "captions.txt")
        .read_text()
        .endswith("Missing trials (1), not counted: bc on pendulum-medium-v0, seed 2: no evaluation yet.\n")
    )


def test_run_time_whisker_of_gradient_steps_ends_in_their_part(results):
    axis = draw("run-time", Material(results)).figure.axes[0]
    (whiskers, *_) = [lines for lines in axis.collections if lines.get_segments()]
    widths = [bar.get_width() for bar in axis.patches]
    assert all(
        segment[:, 0].max() <= width
        for segment, width in zip(whiskers.get_segments(), widths[:3], strict=True)
    )


def test_looks_of_many_algorithms_differ_in_colour_with_hatch_or_marker():
    found = list(looks([f"a{number}" for number in range(40)]).values())
    assert len({(one.color, one.hatch) for one in found}) == len(found)
    assert len({(one.color, one.marker) for one in found}) == len(found)


def test_run_times_are_of_the_trials_that_have_them(results):
    frame = results.frame.copy()
    frame.loc[(frame["algorithm"] == "bc") & (frame["seed"] == 0), "train_seconds"] = np.nan
    caption = draw("run-time", Material(replace(results, frame=frame))).caption
    assert "the finished trials whose times are all recorded" in caption
    assert "all recorded" not in draw("run-time", Material(results)).caption


def texts(figure):
    """Return what is written in a figure, without the hidden axes of empty cells."""
    empty = [axis for axis in figure.axes if not axis.axison]
    hidden = {text for axis in empty for text in axis.findobj(Text)}
    legends = {text for axis in empty if axis.get_legend() for text in axis.get_legend().findobj(Text)}
    every = [one for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip()]
    return [one for one in every if one not in hidden or one in legends]


def tick_labels(figure):
    return {label for axis in figure.axes for label in (*axis.get_xticklabels(), *axis.get_yticklabels())}


@pytest.mark.parametrize("width", [3.3, 5.5])
@pytest.mark.parametrize("name", [name for name in FIGURES if name != "mixtures"])
def test_no_text_is_smaller_than_seven_points_or_outside_the_figure(drawn, name, width):
    figure = drawn(name, width).figure
    with style(width):
        figure.draw_without_rendering()
    written = texts(figure)
    assert min(one.get_fontsize() for one in written) >= SMALLEST
    assert figure.get_figwidth() <= width
    if name not in OF_SEARCHES:
        boxes = [one.get_window_extent() for one in set(written) - tick_labels(figure)]
        assert min(box.x0 for box in boxes) >= -2
        assert max(box.x1 for box in boxes) <= figure.bbox.x1 + 2


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in ("mixtures", *OF_SEARCHES)])
def test_figures_show_titles_and_not_keys(drawn, name):
    written = " ".join(one.get_text() for one in texts(drawn(name).figure))
    assert "td3_bc" not in written
    assert "pendulum-" not in written


def test_labels_of_the_experiment_are_written(tmp_path):
    experiment = synthetic.experiment(
        algorithms={"td3_bc": {"label": "Ours"}, "bc": {}},
        datasets=[{"name": "hopper-medium-v2", "label": "Hop"}, "walker2d-medium-v2"],
    )
    results = reading.load(synthetic.write(tmp_path / "run", experiment))
    figure = draw("scores", Material(results)).figure
    assert [axis.get_title() for axis in figure.axes] == ["Hop", "Walker2d medium"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Ours", "BC"]


def test_scores_show_a_dot_for_each_seed_and_the_mean(results):
    axis = draw("scores", Material(results)).figure.axes[0]
    drawn = [np.asarray(line.get_xdata()) for line in axis.get_lines()]
    expected = results.seed_scores("final")["td3_bc", Material(results).datasets[0]].to_numpy()
    assert any(len(at) == len(expected) and np.allclose(at, expected) for at in drawn)
    assert any(len(at) == 1 and np.allclose(at, expected.mean()) for at in drawn)


@pytest.mark.parametrize(
    ("error", "axis", "caption"),
    [
        ("sd", "SD", "standard deviation"),
        ("se", "SE", "standard error"),
        ("ci", "95 % CI", "95 % t interval"),
    ],
)
def test_the_error_is_named_on_the_axis_and_in_the_caption(sweep, error, axis, caption):
    drawing = draw("scores", Material(sweep, error=error))
    assert any(f"(mean ± {axis})" in each.get_xlabel() for each in drawing.figure.axes)
    assert caption in drawing.caption


def test_learning_curves_share_a_scale_where_asked(results):
    limits = [axis.get_ylim() for axis in draw("learning-curves", Material(results)).figure.axes]
    shared = draw("learning-curves", Material(results, share_y=True)).figure.axes
    assert len(set(limits[:3])) == 3
    assert len({axis.get_ylim() for axis in shared[:3]}) == 1


def test_the_legend_fills_an_empty_cell(results):
    figure = draw("learning-curves", Material(results)).figure  # five panels in rows of three
    assert not figure.legends
    assert figure.axes[-1].get_legend() is not None


def test_the_behaviour_policy_is_a_level(material, drawn):
    dataset = material.datasets[0]
    figure = drawn("learning-curves").figure
    levels = [line for line in figure.axes[0].lines if line.get_label() == BEHAVIOUR]
    slope, intercept = material.results.normalizer(dataset)
    expected = slope * material.behaviour_returns[dataset].mean() + intercept
    assert [line.get_ydata()[0] for line in levels] == [pytest.approx(expected)]


def test_worst_evaluations_are_drawn_from_mean_to_worst(results):
    axis = draw("worst-evaluation", Material(results)).figure.axes[0]
    pairs = worst_evaluations(results)["td3_bc", Material(results).datasets[0]]
    lines = [tuple(line.get_xdata()) for line in axis.get_lines() if len(line.get_xdata()) == 2]
    assert any(line == pytest.approx(tuple(pairs.mean(axis=0))) for line in lines)


def test_per_cent_as_printed_is_cut_with_its_number_inside(tmp_path):
    experiment = synthetic.experiment(algorithms=("td3_bc", "bc"), datasets=["hopper-medium-v2"], seeds=3)
    rows = synthetic.frame(experiment)
    rows.loc[rows["algorithm"] == "td3_bc", "normalized_score"] = 1.0
    results = reading.load(synthetic.write(tmp_path / "run", experiment, rows))
    drawing = draw("comparison", Material(results, as_printed=True))
    (axis,) = drawing.figure.axes
    (number,) = axis.texts
    assert float(number.get_text().replace(",", "")) > 150
    assert axis.patches[0].get_width() == 150
    assert axis.bbox.x0 <= number.get_window_extent().x0
    assert number.get_window_extent().x1 <= axis.bbox.x1
    assert "cut and numbered" in drawing.caption
    assert "±" not in drawing.caption.partition("Bars")[0]  # no spread is drawn


def alpha(tmp_path, values):
    experiment = synthetic.experiment(
        algorithms={"td3_bc": {}, "bc": {}, "td3": {}},
        sweep={"algorithms.td3_bc.alpha": values},
        datasets=["pendulum-medium-v0"],
    )
    return reading.load(synthetic.write(tmp_path / "alpha", experiment))


def test_values_of_a_sweep_are_a_ramp_and_the_default_has_its_usual_colour(tmp_path):
    look = Material(alpha(tmp_path, [0.1, 2.5, 30])).look
    assert look["td3_bc@alpha=2.5"].color == looks(["td3_bc"])["td3_bc"].color
    small, large = (np.dot(to_rgb(look[f"td3_bc@alpha={each}"].color), [0.3, 0.6, 0.1]) for each in (0.1, 30))
    assert small > large


def test_sensitivity_is_to_scale_and_logarithmic_where_values_are(tmp_path):
    axis = draw("sensitivity", Material(alpha(tmp_path, [0.1, 2.5, 30]))).figure.axes[0]
    assert axis.get_xscale() == "log"
    assert list(axis.lines[0].get_xdata()) == [0.1, 2.5, 30]
    axis = draw("sensitivity", Material(alpha(tmp_path / "b", [1, 2.5, 4]))).figure.axes[0]
    assert axis.get_xscale() == "linear"


def test_differences_to_the_default_value_are_paired(tmp_path):
    results = alpha(tmp_path, [0.1, 2.5, 30])
    axis = draw("sensitivity-differences", Material(results)).figure.axes[0]
    scores = results.seed_scores("final")
    low, default = (scores[f"td3_bc@alpha={each}", "pendulum-medium-v0"] for each in (0.1, 2.5))
    assert list(axis.lines[0].get_ydata())[:2] == [pytest.approx((low - default).mean()), 0]


def test_sensitivity_has_no_mean_where_a_score_is_nan(tmp_path):
    results = alpha(tmp_path, [0.1, 2.5, 30])
    trial = (results.frame["algorithm"] == "td3_bc@alpha=0.1") & (results.frame["seed"] == 0)
    frame = results.frame.assign(normalized_score=results.frame["normalized_score"].mask(trial))
    for name in ("sensitivity", "sensitivity-differences"):
        axis = draw(name, Material(replace(results, frame=frame))).figure.axes[0]
        assert np.isnan(axis.lines[0].get_ydata()).tolist() == [True, False, False]


def test_response_to_listed_values_has_a_mean_for_each(tmp_path):
    values = [0.1, 0.3, 1, 2.5, 5, 10, 30]
    axis = draw("responses", Material(alpha(tmp_path, values))).figure.axes[0]
    assert list(axis.lines[-1].get_xdata()) == pytest.approx(values)


def test_differences_without_the_default_value_are_not_drawn(tmp_path):
    with pytest.raises(HarnessError, match="default value is not among"):
        draw("sensitivity-differences", Material(alpha(tmp_path, [1, 4])))


@pytest.mark.parametrize("name", ["learning-curves", "scores", "worst-episode", "intervals", "profiles"])
def test_long_names_fit(long_names, name):
    figure = draw(name, Material(long_names)).figure
    for legend in figure.legends:
        assert legend.get_window_extent().x0 >= 0
        assert legend.get_window_extent().x1 <= figure.bbox.x1
    assert min(axis.bbox.width for axis in figure.axes) > 80
    titles = [axis.title.get_window_extent() for axis in figure.axes if axis.title.get_text()]
    assert all(one.x1 <= figure.bbox.x1 for one in titles)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(titles, 2))
    names = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(
        above.y0 > below.y1 - 1 or above.y1 < below.y0 + 1 for above, below in itertools.pairwise(names)
    )


@pytest.mark.parametrize("name", ["scores", "improvement"])
def test_few_rows_with_long_names_do_not_overlap(long_names, name):
    rows = records.from_frame(
        long_names.frame.astype({"algorithm": str, "dataset": str}).assign(
            dataset=lambda frame: "a/long/name/of/a/dataset/" + 2 * frame["dataset"],
            episode_returns=None,
        )[long_names.frame["algorithm"].str[0].isin(["a", "b", "c"]).to_numpy()],
        "log.csv",
    )
    axis = draw(name, Material(rows)).figure.axes[0]
    labels = [label.get_window_extent() for label in axis.get_yticklabels()]
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(labels))


def test_one_long_name_makes_a_figure_little_higher(long_names):
    frame = long_names.frame.assign(
        algorithm=long_names.frame["algorithm"].cat.rename_categories(
            lambda name: name[: 200 if name[0] == "c" else 1]
        )
    )
    short = frame.assign(algorithm=frame["algorithm"].cat.rename_categories(lambda name: name[0]))
    for name in ("scores", "intervals"):
        low, high = (
            draw(name, Material(replace(long_names, frame=of, experiment=None))).figure.get_figheight()
            for of in (short, frame)
        )
        assert low < high < 1.8 * low


def test_panels_with_their_own_scale_make_a_figure_higher(results):
    rows = results.frame.drop(columns="episode_returns").astype({"algorithm": str, "dataset": str})
    rows = rows[rows["dataset"] == results.datasets[0]]
    copies = [rows.assign(dataset=f"task-{index}") for index in range(4)]
    returns = copies[0].assign(normalized_score=np.nan)
    heights = [
        draw("scores", Material(records.from_frame(pd.concat(parts), "log.csv"))).figure.get_figheight()
        for parts in (copies, [returns, *copies[1:]])
    ]
    assert heights[0] < heights[1]
