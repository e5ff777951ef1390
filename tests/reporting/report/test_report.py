import html
import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from harness.reporting import published, reading
from harness.reporting.reading import records
from harness.reporting.report import report
from tests import synthetic

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NASTY = "</script><script>alert(1)</script><b>&\"'"

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
def one_figure(monkeypatch):
    """Draw one figure of all, which take most of the time of a report."""
    monkeypatch.setattr("harness.reporting.figures.figure_names", lambda results: ["scores"])


@pytest.fixture(scope="module")
def page(sweep, d4rl):
    names = ["learning-curves", "scores", "profiles", "metric-critic_loss"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.reporting.figures.figure_names", lambda results: names)
        return report([sweep, d4rl], published=[published.load("corl-last")])


def in_chromium(tmp_path, page, script=""):
    """The page's DOM after its scripts and one more; fails on anything in the console."""
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += [
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=3000",
        "--dump-dom",
        path.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "CONSOLE" not in done.stderr, [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout


def test_page_loads_nothing_from_elsewhere(page):
    addresses = re.findall(r"""(?:src|href|action|data|poster|xlink:href)\s*=\s*["']([^"']*)""", page)
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert not re.search(r"@import|url\((?!data:)|<link|fetch\(|XMLHttpRequest", page)
    assert "default-src 'none'" in page


def test_page_holds_both_experiments_with_their_tables(page, sweep, d4rl):
    assert page.count("<article") == 2
    assert (
        page.index("State of the trials</h2>") < page.index("In short</h2>") < page.index("Side by side</h2>")
    )
    for name in (*sweep.datasets, *d4rl.datasets):
        assert name in page
    assert page.count('class="scores"') >= 10
    assert page.count("<figure") == 8
    assert "60.4 ± 3.5" in page


def test_page_without_scripts_shows_figures_and_tables(page):
    without = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    assert without.count("<img") >= 8
    assert "Total" in without


def test_missing_trials_and_how_to_repeat_are_shown(tmp_path, one_figure):
    experiment = synthetic.experiment()
    rows = synthetic.frame(experiment)
    directory = synthetic.write(tmp_path / "run", experiment, rows[rows["seed"] != 2])
    run = {
        "started": "2026-01-02T03:04:05+00:00",
        "ended": None,
        "git_commit": "abc123",
        "versions": {"harness": "0.1.0", "torch": "2.9"},
        "machine": {"host": "node17", "processor": "Z80", "memory": 64 * 2**30},
    }
    (directory / "manifest.json").write_text(json.dumps({"runs": [run]}))
    text = report([reading.load(directory)])
    assert "td3_bc on pendulum-medium-v0, seed 2: no evaluation yet" in text
    assert "No variant has a score for every seed on a dataset yet." in text
    assert "gradient_steps: 10000" in text
    assert "git checkout abc123" in text
    assert "processor Z80" in text
    assert "memory 64 GiB" in text
    assert "not yet, or it was killed" in text
    assert "node17" not in text
    assert str(tmp_path) not in text
    asked = report([reading.load(directory)], with_host=True)
    assert "host node17" in asked
    assert str(tmp_path) in asked


def test_report_names_a_table_that_is_not_shown_with_the_reason(tmp_path, page, one_figure):
    assert "Probability of improvement: " not in page
    experiment = synthetic.experiment(
        {f"mine{n}": {"algorithm": "bc"} for n in range(7)}, seeds=2, steps=1_000
    )
    text = report([reading.load(synthetic.write(tmp_path / "run", experiment))])
    assert "Probability of improvement: comparing all pairs of 7 variants" in text


def test_names_from_files_are_escaped(tmp_path, one_figure):
    rows = synthetic.frame(synthetic.experiment(algorithms=("bc", "td3"), steps=2_000))
    rows = rows.drop(columns="episode_returns").replace({"algorithm": {"bc": NASTY}})
    rows["dataset"] = rows["dataset"].replace({"pendulum-medium-v0": NASTY})
    text = report([records.from_frame(rows, NASTY)])
    assert "alert(1)</script>" not in text
    assert "<b>&" not in text
    scripts = text.count('class="texts"') + 1
    assert text.count("<script") == scripts, "the texts of the tables and the page's own"


CLICKS = """
  const found = { copied: [], files: [], states: [] };
  document.querySelector("figure img").click();
  found.open = document.getElementById("large").open;
  document.getElementById("large").close();
  document.getElementById("theme").click();
  found.theme = document.documentElement.dataset.theme;

  const table = document.querySelector("#e2-scores table.scores");
  const head = table.tHead.rows[table.tHead.rows.length - 1].cells[1];
  const state = () => [...table.tBodies[0].rows].filter((row) => !row.hidden)
    .map((row) => [row.className, Number(row.cells[1].dataset.value), row.cells[0].textContent]);
  found.states.push(state());
  for (let click = 0; click < 3; click += 1) {
    head.querySelector("button").click();
    found.states.push(state());
  }

  const clipboard = { writeText: (text) => found.copied.push(text) };
  Object.defineProperty(navigator, "clipboard", { value: clipboard });
  let last;
  URL.createObjectURL = (blob) => { last = blob; return "#"; };
  HTMLAnchorElement.prototype.click = function () {
    found.files.push([this.download, last.type, last.size]);
  };
  const article = document.querySelector("article");
  for (const button of [
    article.querySelector("[data-copy=markdown]"), article.querySelector("[data-copy=latex]"),
    article.querySelector("[data-download]"), article.querySelector("[data-text]"),
    article.querySelector("[data-png]"),
  ]) button.click();
  setTimeout(() => {
    document.body.innerHTML = "<pre id=found></pre>";
    document.getElementById("found").textContent = JSON.stringify(found);
  }, 1000);
"""


@pytest.fixture(scope="module")
def clicked(tmp_path_factory, page):
    """What a browser has done after all these clicks."""
    dom = in_chromium(tmp_path_factory.mktemp("browser"), page, CLICKS)
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)[1]))


@needs_chromium
def test_tables_sort_on_a_click_and_totals_stay_below(clicked):
    first, falling, rising, again = clicked["states"]
    assert again == first
    for state, ordered in (
        (falling, sorted(falling[:-1], key=lambda row: -row[1])),
        (rising, sorted(rising[:-1], key=lambda row: row[1])),
    ):
        assert state[:-1] == ordered
        assert state[-1][0] == "total"
        assert len(state) == 7


@needs_chromium
def test_buttons_copy_tables_and_download_tables_figures_and_the_experiment(clicked):
    markdown, latex = clicked["copied"]
    assert markdown.startswith("| Dataset | ")
    assert "\\begin{tabular}" in latex
    files = {name: (kind, size) for name, kind, size in clicked["files"]}
    assert files["e1-best.csv"][0] == "text/csv"
    assert files["experiment.yaml"][1] > 1_000
    kind, size = files["e1-learning-curves.png"]
    assert kind == "image/png"
    assert size > 10_000


@needs_chromium
def test_figures_open_large_and_the_theme_changes_on_a_click(clicked):
    assert clicked["open"] is True
    assert clicked["theme"] in ("dark", "light")


def test_page_opens_with_what_failed_is_missing_or_diverged(tmp_path, one_figure):
    experiment = synthetic.experiment()
    rows = synthetic.frame(experiment).assign(non_finite=None)
    rows.loc[(rows["seed"] == 1) & (rows["algorithm"] == "td3") & (rows["step"] > 5_000), "non_finite"] = "q1"
    kept = rows[(rows["seed"] != 2) | (rows["algorithm"] != "bc")]
    results = reading.load(synthetic.write(tmp_path / "run", experiment, kept))
    key = next(trial.key for trial in results.requested if trial.algorithm == "bc" and trial.seed == 2)
    text = report([replace(results, failures={key: "out of memory"})])
    opening = text[text.index("<main>") : text.index("In short</h2>")]
    assert "1 failed, 1 missing, 2 diverged" in opening
    assert "bc on pendulum-medium-v0, seed 2: failed (out of memory)" in opening
    assert opening.index("Failed (1)") < opening.index("Missing (1)") < opening.index("Diverged (2)")
    assert text.count("out of memory") == 1, "captions do not repeat it"


def test_page_opens_with_the_trials_that_were_stopped_early(tmp_path, one_figure):
    experiment = synthetic.experiment()
    rows = synthetic.frame(experiment)
    is_stopped = (rows["seed"] == 2) & (rows["step"] > 1_000)
    results = reading.load(synthetic.write(tmp_path / "run", experiment, rows[~is_stopped]))
    stopped = {trial.key: 1_000 for trial in results.requested if trial.seed == 2}
    text = report([replace(results, manifest={"stopped": stopped})])
    opening = text[text.index("<main>") : text.index("In short</h2>")]
    assert "All 12 trials that were not stopped early finished, and none diverged." in opening
    assert "Successive halving stopped 6 trials early, at gradient step 1,000" in opening


@needs_chromium
def test_many_panels_stay_large_and_the_page_within_the_window(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.reporting.figures.figure_names", lambda results: ["learning-curves"])
    datasets = [f"{task}-expert-v2" for task in "abcdefghijklmno"]
    experiment = synthetic.experiment(("td3_bc",), datasets, seeds=1, steps=500)
    script = """
      const image = document.querySelector("figure:not(.narrow) img").getBoundingClientRect();
      const body = document.body;
      body.dataset.told = JSON.stringify([image.width, image.height, body.scrollWidth, innerWidth]);
    """
    dom = in_chromium(tmp_path, report([reading.load(synthetic.write(tmp_path / "run", experiment))]), script)
    width, height, page, window = json.loads(re.search(r'data-told="(.*?)"', dom)[1])
    assert width >= 640
    assert height > 1.2 * width
    assert page <= window


@needs_chromium
def test_nasty_names_run_nothing_in_a_browser(tmp_path, one_figure):
    rows = synthetic.frame(synthetic.experiment(algorithms=("bc", "td3"), steps=2_000))
    nasty = "<img src=x onerror=document.title=1>"
    rows = rows.drop(columns="episode_returns").replace({"algorithm": {"bc": nasty}})
    dom = in_chromium(tmp_path, report([records.from_frame(rows, "log.csv")]))
    assert "<title>log</title>" in dom
    assert dom.count("<img src=x") == 0
