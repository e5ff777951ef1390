import io
import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from PIL import Image

from harness import experiment_file
from harness.bench import synthetic
from harness.reporting import figures, published, records
from harness.reporting import load as reading
from harness.reporting.figures import FIGURES, Material, NotApplicableError, draw, render
from harness.reporting.figures.bars import even_rows, mean_interval
from harness.reporting.figures.curves import seed_curves
from harness.reporting.figures.differences import (
    normalizer,
    percent_difference,
    reference_algorithm,
    worst_episodes,
    worst_evaluations,
)
from harness.reporting.figures.mixtures import shares_of_last_part
from harness.reporting.figures.style import COLORS, legend_below, looks, panels, style
from harness.reporting.figures.sweep import swept
from harness.reporting.tables.model import Kind
from harness.reporting.tables.scores import score_table

pytestmark = pytest.mark.filterwarnings("error")

EXPERIMENTS = Path(__file__).parents[3] / "experiments"


@pytest.fixture(scope="module")
def material(sweep):
    generator = np.random.default_rng(0)
    return Material(
        sweep, behaviour_returns={name: generator.normal(-500, 90, 60) for name in sweep.datasets}
    )


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "mixtures"])
def test_every_figure_is_drawn_with_a_caption(material, name):
    drawing = draw(name, material)
    picture = Image.open(io.BytesIO(render(drawing, "png"))).convert("L")
    assert picture.width > 400
    assert np.asarray(picture).std() > 5, "something is drawn"
    assert drawing.caption.endswith(".")


def test_the_same_results_give_the_same_bytes(results):
    material = Material(results)
    for file_format in ("png", "pdf", "svg"):
        first, second = (render(draw("scores", material), file_format) for _ in range(2))
        assert first == second


def test_files_and_captions(tmp_path, results):
    written, left_out = figures.write(tmp_path, Material(results), ["scores", "sensitivity"], ["svg", "pdf"])
    assert [path.name for path in written] == ["scores.svg", "scores.pdf"]
    assert left_out == {"sensitivity": "no hyper-parameter was swept on its own"}
    assert (tmp_path / "scores.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "captions.txt").read_text().startswith("scores: Normalized score")


def test_captions_that_are_no_text_are_written_anew(tmp_path, results):
    (tmp_path / "captions.txt").write_bytes(b"\xff\xfe")
    figures.write(tmp_path, Material(results), ["scores"], ["svg"])
    assert (tmp_path / "captions.txt").read_text().startswith("scores: Normalized score")


def test_published_levels_are_drawn_and_told(d4rl):
    drawing = draw("learning-curves", Material(d4rl, published=[published.load("corl-last")]))
    assert "corl-last" in drawing.caption
    medium = next(axis for axis in drawing.figure.axes if axis.get_title() == "hopper-medium-v2")
    levels = {
        round(float(line.get_ydata()[0]), 2) for line in medium.lines if "corl-last" in str(line.get_label())
    }
    assert levels == {60.37, 53.51}


def test_chosen_published_algorithms_are_levels_with_a_colour_of_their_own(d4rl):
    material = Material(d4rl, published=[published.load("corl-last:td3_bc,iql")])
    curves = draw("learning-curves", material)
    medium = next(axis for axis in curves.figure.axes if axis.get_title() == "hopper-medium-v2")
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
    heights = {float(line.get_ydata()[0]) for axis in drawing.figure.axes for line in axis.lines}
    assert 3.26 in heights
    assert drawing.caption.endswith("Published scores on mine are those on door-human-v1.")


def test_a_published_algorithm_without_a_bar_is_a_level_over_all_bars(d4rl):
    drawing = draw("scores", Material(d4rl, published=[published.load("corl-last:td3_bc,iql")]))
    lengths = {
        round(float(line.get_ydata()[0]), 2): float(np.ptp(line.get_xdata()))
        for axis in drawing.figure.axes
        for line in axis.lines
        if len(line.get_xdata()) == 2
    }
    assert lengths[67.53] == pytest.approx(0.82)
    assert lengths[60.37] == pytest.approx(0.82 / len(d4rl.algorithms))
    entries = [handle.get_label() for handle in drawing.figure.legends[0].legend_handles]
    assert entries[-2:] == ["corl-last", "IQL, corl-last"]


def test_sources_of_published_scores_can_be_told_apart(d4rl):
    sources = [published.load(name) for name in ("td3_bc-paper-v2", "corl-last")]
    drawing = draw("scores", Material(d4rl, published=sources))
    entries = drawing.figure.legends[0].legend_handles
    lines = {one.get_label(): one._dash_pattern for one in entries if "-" in one.get_label()}
    assert lines["td3_bc-paper-v2"] != lines["corl-last"]


def test_published_scores_are_no_levels_for_returns(d4rl):
    returns = records.from_frame(
        d4rl.frame[["algorithm", "dataset", "seed", "step", "return_mean"]].copy(), "log.csv"
    )
    bare = draw("scores", Material(returns)).figure.axes[0]
    drawing = draw("scores", Material(returns, published=[published.load("corl-last")]))
    assert len(drawing.figure.axes[0].lines) == len(bare.lines)
    assert "corl-last" not in drawing.caption


def test_a_long_legend_takes_no_room_from_the_panel(sweep):
    drawing = draw("profiles", Material(sweep))
    render(drawing, "png")
    axis = drawing.figure.axes[0]
    assert drawing.figure.legends[0]._ncols < len(sweep.algorithms)
    label = axis.yaxis.label.get_window_extent()
    assert label.height < axis.get_window_extent().height


def test_dollars_in_names_are_no_formulas(results):
    nasty = r"cost$\frac$"
    rows = results.frame[["algorithm", "dataset", "seed", "step", "normalized_score"]].astype(
        {"algorithm": str, "dataset": str}
    )
    named = records.from_frame(rows.replace({"bc": nasty, "pendulum-expert-v0": nasty}), "log.csv")
    for name in ("learning-curves", "scores", "intervals", "differences"):
        drawing = draw(name, Material(named))
        assert render(drawing, "svg")


@pytest.mark.parametrize(
    "name", ["learning-curves", "profiles", "run-time", "scores", "worst-episode", "intervals"]
)
def test_long_names_have_room(tmp_path, name):
    experiment = synthetic.experiment(
        algorithms={f"{letter}-{'long' * 12}": {"algorithm": "bc"} for letter in "abcdefgh"},
        datasets=[f"minari:mujoco/{task}/medium-expert-v0" for task in ("halfcheetah", "walker2d", "hopper")],
    )
    results = reading.load(synthetic.write(tmp_path / "run", experiment))
    figure = draw(name, Material(results)).figure
    legend = figure.legends[0].get_window_extent() if figure.legends else figure.bbox
    titles = [axis.title.get_window_extent() for axis in figure.axes if axis.get_title()]
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.x1
    assert legend.y1 <= min(axis.get_tightbbox().y0 for axis in figure.axes) + 1 or name == "intervals"
    assert min(axis.bbox.width for axis in figure.axes) > 100
    names = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(above.y0 > below.y1 or above.y1 < below.y0 for above, below in itertools.pairwise(names))
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(titles))


def test_algorithms_differ_in_colour_marker_line_and_hatch():
    found = looks(["td3_bc", "td3", "bc", "mine"])
    for part in ("color", "marker", "line", "hatch"):
        assert len({str(getattr(look, part)) for look in found.values()}) == 4


def test_a_diverged_seed_breaks_its_curve_and_its_bar(tmp_path):
    experiment = synthetic.experiment(algorithms=("td3_bc", "bc"))
    rows = synthetic.frame(experiment)
    rows.loc[
        (rows["algorithm"] == "bc") & (rows["seed"] == 1) & (rows["step"] > 5_000), "normalized_score"
    ] = np.nan
    results = reading.load(synthetic.write(tmp_path / "run", experiment, rows))
    (_, steps, curves), *_ = [
        one for one in seed_curves(results, results.datasets[0], "normalized_score") if one[0] == "bc"
    ]
    assert np.isnan(curves.mean(axis=0)[steps > 5_000]).all()
    for name in ("scores", "intervals"):
        axis = draw(name, Material(results)).figure.axes[0]
        (text, *_) = [text for text in axis.texts if text.get_text() == "NaN"]
        assert axis.bbox.contains(*text.get_window_extent().p0), "it is in sight"


@pytest.mark.parametrize("value", [np.nan, -100.0])
def test_returns_that_are_no_numbers_or_all_the_same(tmp_path, value):
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


def test_the_normalizer_is_told_from_the_records(results):
    slope, intercept = normalizer(results, "pendulum-expert-v0")
    assert slope == pytest.approx(1 / synthetic.RETURN_PER_SCORE)
    assert intercept == pytest.approx(-synthetic.WORST_RETURN / synthetic.RETURN_PER_SCORE)


def test_the_reference_is_the_full_algorithm(results, sweep):
    assert reference_algorithm(results, None) == "td3_bc"
    assert reference_algorithm(sweep, None) == "td3_bc@alpha=2.5"
    assert reference_algorithm(sweep, "bc") == "bc"
    with pytest.raises(NotApplicableError):
        reference_algorithm(sweep, "cql")


def test_what_was_swept():
    names = ["bc", "td3_bc@alpha=10", "td3_bc@alpha=2.5", "td3_bc@alpha=1,tau=1", "td3_bc@tau=1"]
    assert swept(names) == ("alpha", ["td3_bc@alpha=2.5", "td3_bc@alpha=10"])
    with pytest.raises(NotApplicableError):
        swept(["bc"])


def test_figures_that_need_what_is_not_recorded_say_so(results):
    bare = records.from_frame(
        results.frame[["algorithm", "dataset", "seed", "step", "normalized_score"]].copy(), "log.csv"
    )
    for name in ("worst-episode", "returns", "q-values", "lambda", "run-time", "sensitivity"):
        with pytest.raises(NotApplicableError):
            draw(name, Material(bare))
    for name in ("learning-curves", "scores", "intervals", "profiles", "differences", "worst-evaluation"):
        draw(name, Material(bare))


def test_mixtures_are_ordered_by_the_share_of_the_last_part(tmp_path):
    datasets = [
        {"name": "half", "mixture": {"pendulum-random-v0": 0.5, "pendulum-expert-v0": 0.5}},
        {"name": "none", "mixture": {"pendulum-random-v0": 1.0}},
        {"name": "all", "mixture": {"pendulum-expert-v0": 1.0}},
    ]
    results = reading.load(synthetic.write(tmp_path / "run", synthetic.experiment(datasets=datasets)))
    assert shares_of_last_part(results) == ("pendulum-expert-v0", {"none": 0.0, "half": 0.5, "all": 1.0})
    drawing = draw("mixtures", Material(results))
    assert "share of pendulum-expert-v0" in drawing.caption
    assert list(drawing.figure.axes[0].lines[0].get_xdata()) == [0, 50, 100]


def test_no_mixtures(results):
    with pytest.raises(NotApplicableError, match="not mixtures"):
        draw("mixtures", Material(results))


@pytest.mark.parametrize("name", ["alpha", "ablations", "data-mixture", "seeds"])
def test_the_experiments_of_the_figures_are_read(name):
    experiment = experiment_file.load(EXPERIMENTS / f"{name}.yaml")
    assert experiment.name == name
    trials = {"alpha": 7 * 3 * 3, "ablations": 4 * 3 * 3, "data-mixture": 3 * 7 * 5, "seeds": 3 * 2 * 20}
    assert len(experiment.trials()) == trials[name]


def test_rows_are_even():
    assert [len(row) for row in even_rows(list("abcdefghijklmno"), 13)] == [8, 7]
    assert even_rows(["a"], 13) == [["a"]]


def test_the_interval_of_a_mean():
    low, high = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert 1 <= low < 2 < high <= 3
    assert np.isnan(mean_interval(np.array([1.0]))).all()


def test_an_algorithm_looks_the_same_whatever_stands_beside_it():
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


def tick_labels(figure):
    return [label.get_text() for axis in figure.axes for label in axis.get_xticklabels()]


def test_scores_and_returns_stand_on_axes_of_their_own(tmp_path):
    results = without_scores(tmp_path, ["my-env", "hopper-medium-v2", "pen-human-v1"], ["my-env"])
    normalized, returns = draw("scores", Material(results)).figure.axes
    assert [normalized.get_ylabel(), returns.get_ylabel()] == ["Normalized score", "Episode return"]
    assert [label.get_text() for label in returns.get_xticklabels()] == ["my-env (return)"]
    assert normalized.get_ylim()[1] < 200 < -returns.get_ylim()[0]
    assert normalized.get_xlim() == returns.get_xlim()  # bars of one width


def test_normalized_scores_alone_are_summed(tmp_path):
    datasets = ["my-env", "pen-human-v1", "hopper-medium-v2"]
    results = without_scores(tmp_path, datasets, ["my-env"])
    drawing = draw("differences", Material(results))
    assert tick_labels(drawing.figure) == ["pen\nhuman-v1", "hopper\nmedium-v2", "my-env", "All"]
    assert "my-env (return)" in tick_labels(draw("scores", Material(results)).figure)
    assert "All: of the sums over the 2 datasets with normalized scores" in drawing.caption
    scores = results.finished.groupby(["algorithm", "dataset"], observed=True)["final"].mean()
    sums = [sum(scores[name, dataset] for dataset in datasets[1:]) for name in ("td3", "td3_bc")]
    assert drawing.figure.axes[0].patches[3].get_height() == pytest.approx(percent_difference(*sums))


@pytest.mark.parametrize("bare", [["my-env"], ["my-env", "hopper-medium-v2"]])
def test_returns_of_different_environments_are_not_summed(tmp_path, bare):
    drawing = draw("differences", Material(without_scores(tmp_path, ["my-env", "hopper-medium-v2"], bare)))
    assert "All" not in tick_labels(drawing.figure)
    assert "All" not in drawing.caption


@pytest.mark.parametrize(
    "datasets",
    [
        [f"{task}-{quality}-v1" for task in ("pen", "door") for quality in ("human", "cloned", "expert")],
        [f"{task}-expert-v{version}" for version in (0, 2) for task in "abcdefghijklmno"],
        [f"my-own-dataset-{letter}-of-thirty-five-chars" for letter in "abc"],
        ["-".join(["a", "very", "long", "name"] * 5)],
    ],
)
@pytest.mark.parametrize("name", ["scores", "differences", "worst-evaluation"])
def test_names_below_bars_neither_touch_nor_leave_the_figure(tmp_path, name, datasets):
    experiment = synthetic.experiment(("td3_bc", "bc"), datasets, seeds=2, steps=1_000)
    figure = draw(name, Material(reading.load(synthetic.write(tmp_path / "run", experiment)))).figure
    for axis in figure.axes:
        labels = axis.get_xticklabels()
        assert axis.get_tightbbox().y0 > figure.legends[0].get_window_extent().y1 - 1
        assert axis.yaxis.label.get_window_extent().height < axis.bbox.height
        if not labels[0].get_rotation():
            boxes = [label.get_window_extent() for label in labels]
            assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert len(set(tick_labels(figure))) == len(tick_labels(figure))


def test_a_long_legend_has_room_below_few_bars(tmp_path):
    rates = {
        "algorithms.td3_bc.actor_learning_rate": [1e-4],
        "algorithms.td3_bc.critic_learning_rate": [1e-3],
    }
    experiment = synthetic.experiment({"td3_bc": {}, "bc": {}}, sweep=rates, seeds=1, steps=1_000)
    figure = draw("scores", Material(reading.load(synthetic.write(tmp_path / "run", experiment)))).figure
    legend = figure.legends[0].get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.x1


def test_datasets_stand_in_the_order_of_the_table(tmp_path):
    names = [f"{task}-{quality}-v1" for task in ("pen", "door") for quality in ("human", "cloned")]
    results = without_scores(tmp_path, ["mine", *names], ["mine"])
    rows = score_table(results).rows
    order = [row.key for row in rows if row.kind is Kind.DATA]
    panels = draw("learning-curves", Material(results)).figure.axes
    assert [axis.get_title() for axis in panels if axis.get_title()] == order
    assert Material(results).datasets == order == [names[0], names[2], names[1], names[3], "mine"]


def test_a_caption_tells_of_cut_bars_and_of_small_numbers(tmp_path):
    experiment = synthetic.experiment(algorithms=("td3_bc", "bc"), seeds=2)
    rows = synthetic.frame(experiment)
    of_bc = (rows["algorithm"] == "bc") & (rows["dataset"] == "pendulum-medium-v0")
    whole = draw("worst-episode", Material(reading.load(synthetic.write(tmp_path / "a", experiment, rows))))
    assert "cut" not in whole.caption
    assert "*" not in whole.caption
    rows.loc[of_bc, "normalized_score"] -= rows.loc[of_bc, "normalized_score"] - 2
    rows.loc[of_bc, "episode_returns"] = rows.loc[of_bc, "episode_returns"].map(
        lambda returns: list(np.asarray(returns) - np.mean(returns) + synthetic.WORST_RETURN + 2)
    )
    drawing = draw("worst-episode", Material(reading.load(synthetic.write(tmp_path / "b", experiment, rows))))
    assert "are cut and numbered, without whiskers" in drawing.caption
    assert "*: divided by a number so near 0" in drawing.caption
    assert [text.get_text() for text in drawing.figure.axes[0].texts].count("*") == 1


@pytest.mark.parametrize(
    "name", [name for name in FIGURES if name not in ("mixtures", "differences", "comparison")]
)
def test_captions_tell_of_one_seed_what_is_drawn(tmp_path, name):
    def caption(seeds):
        experiment = synthetic.experiment(
            {"td3_bc": {}, "bc": {}}, datasets=["hopper-medium-v2"], seeds=seeds,
            sweep={"algorithms.td3_bc.alpha": [1, 2.5]},
        )  # fmt: skip
        results = reading.load(synthetic.write(tmp_path / str(seeds), experiment))
        return draw(name, Material(results, behaviour_returns={"hopper-medium-v2": np.arange(9.0)})).caption

    spread = re.compile(r"shaded|whiskers|intervals|± standard deviation")
    assert not spread.search(caption(1))
    assert spread.search(caption(2)) or name == "returns"


def test_captions_name_the_missing_trials(tmp_path):
    rows = synthetic.frame(synthetic.experiment())
    lacking = (rows["algorithm"] == "bc") & (rows["dataset"] == "pendulum-medium-v0") & (rows["seed"] == 2)
    results = reading.load(synthetic.write(tmp_path / "run", synthetic.experiment(), rows[~lacking]))
    caption = draw("scores", Material(results)).caption
    assert caption.endswith(
        "Missing trials (1), not counted: bc on pendulum-medium-v0, seed 2: no evaluation yet."
    )


def test_the_whisker_of_the_gradient_steps_stays_in_their_part(results):
    axis = draw("run-time", Material(results)).figure.axes[0]
    (whiskers, *_) = [lines for lines in axis.collections if lines.get_segments()]
    widths = [bar.get_width() for bar in axis.patches]
    assert all(
        segment[:, 0].max() <= width
        for segment, width in zip(whiskers.get_segments(), widths[:3], strict=True)
    )


def test_each_of_many_algorithms_can_be_told_by_two_of_its_marks():
    found = list(looks([f"a{number}" for number in range(40)]).values())
    assert len({(one.color, one.hatch) for one in found}) == len(found)
    assert len({(one.color, one.marker) for one in found}) == len(found)


def test_long_names_in_capitals_are_whole_in_the_legend():
    names = ["TD3_BC_LAYERNORM_GAMMA_0995", "DECISION_TRANSFORMER_MEDIUM", "WM" * 60]
    with style():
        figure, _ = panels(3)
        legend_below(figure, [Line2D([], [], label=name) for name in names])
        figure.draw_without_rendering()
    box, whole = figure.legends[0].get_window_extent(), figure.bbox
    assert whole.x0 <= box.x0
    assert box.x1 <= whole.x1


def test_run_times_are_of_the_trials_that_have_them(results):
    frame = results.frame.copy()
    frame.loc[(frame["algorithm"] == "bc") & (frame["seed"] == 0), "train_seconds"] = np.nan
    caption = draw("run-time", Material(replace(results, frame=frame))).caption
    assert "the finished trials whose times are all recorded" in caption
    assert "all recorded" not in draw("run-time", Material(results)).caption
