import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from harness.reporting import published, reading
from harness.reporting.tables import FORMATS, print_table, score_table
from harness.reporting.tables.model import Cell, Column, Emphasis, Kind, Row, Table
from harness.reporting.tables.statistics import statistics_table
from tests import synthetic

NASTY = "a_b & 50% <b>|\\*{x}$^~#</b>"


@pytest.fixture
def table():
    return Table(
        name="nasty",
        caption=f"Caption of {NASTY}",
        header="Dataset",
        columns=(Column("one", NASTY, "group_1"), Column("two", "Δ λ", "group_1"), Column("three", "plain")),
        rows=(
            Row(
                NASTY,
                (
                    Cell(1234.56, 0.04, emphasis=Emphasis.BEST),
                    Cell(-3.21, signed=True, mark="✓"),
                    Cell(float("nan"), emphasis=Emphasis.CLOSE),
                ),
            ),
            Row("two", (Cell(), Cell(2.0, interval=(1.0, 3.0)), Cell(text="<same>"))),
            Row("Total", (Cell(1.0), Cell(-0.01), Cell(float("inf"))), Kind.TOTAL),
        ),
        notes=("Note_1",),
    )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_every_row(results, name):
    text = FORMATS[name](score_table(results))
    for dataset in results.datasets:
        assert (dataset if name == "csv" else results.title(dataset)) in text
    assert "Total" in text


def test_csv_has_all_digits(results):
    table = score_table(results)
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](table))))
    assert len(rows) == len(table.rows)
    assert float(rows[0]["td3_bc"]) == table.rows[0].cells[0].value
    assert float(rows[0]["td3_bc std"]) == table.rows[0].cells[0].spread


def test_csv_has_a_column_for_each_end_of_an_interval(d4rl):
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](statistics_table(d4rl)))))
    assert float(rows[0]["iqm low"]) <= float(rows[0]["iqm"]) <= float(rows[0]["iqm high"])


def test_a_number_shown_in_words_is_a_number_in_csv_and_json(table):
    tiny = replace(table, rows=(Row("one", (Cell(3e-6, text="<0.0001"), Cell(text="same"), Cell(1.0))),))
    (row,) = csv.DictReader(io.StringIO(FORMATS["csv"](tiny)))
    assert (float(row["one"]), row["two"]) == (3e-6, "same")
    cells = json.loads(FORMATS["json"](tiny))["rows"][0]["cells"]
    assert (cells["one"]["value"], cells["two"]["value"]) == (3e-6, "same")
    for name, shown in (("latex", r"\textless{}0.0001"), ("markdown", "0.0001"), ("html", "&lt;0.0001")):
        assert shown in FORMATS[name](tiny)


def test_csv_says_which_cells_stand_on_fewer_seeds(table):
    few = replace(table, rows=(Row("one", (Cell(1.0, mark="2/5 seeds"), Cell(2.0), Cell(3.0))),))
    (row,) = csv.DictReader(io.StringIO(FORMATS["csv"](few)))
    assert row["one mark"] == "2/5 seeds"
    assert "two mark" not in row


def test_json_is_valid_and_says_what_the_caption_says(table):
    page = json.loads(FORMATS["json"](table), parse_constant=pytest.fail)
    first, second, total = page["rows"]
    assert first["cells"]["one"] == {"value": 1234.56, "std": 0.04, "emphasis": "best"}
    assert first["cells"]["three"]["value"] == "nan"
    assert second["cells"]["two"]["interval"] == [1.0, 3.0]
    assert total["kind"] == "total"


def test_html_escapes_and_is_well_formed(table):
    class Checker(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.texts = [], []

        def handle_starttag(self, tag, attributes):
            if tag not in ("meta", "html"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            if tag != "html":
                assert self.open.pop() == tag

        def handle_data(self, data):
            self.texts.append(data)

    checker = Checker()
    text = FORMATS["html"](table)
    checker.feed(text)
    assert checker.open == []
    assert NASTY in checker.texts
    assert "<b>" not in text
    assert "<same>" not in text


def test_markdown_escapes_what_would_break_the_table(table):
    lines = FORMATS["markdown"](table).splitlines()
    columns = {line.replace("\\|", "").count("|") for line in lines[:5]}
    assert columns == {5}
    assert "**1,234.6 ± 0.0**" in lines[2]
    assert "<b>" not in lines[2].replace("\\<b\\>", "")


def named(table, label):
    return replace(table, rows=(replace(table.rows[0], label=label),))


@pytest.mark.parametrize(("label", "shown"), [("a&lt;b", "a\\&lt;b"), ("$x$", "\\$x\\$")])
def test_markdown_shows_what_looks_like_an_entity_or_mathematics_as_it_is(table, label, shown):
    assert f"| {shown} |" in FORMATS["markdown"](named(table, label))


@pytest.mark.parametrize("label", ["[1] mine", "*mine"])
def test_latex_takes_no_label_for_an_argument_of_the_line_before(table, label):
    text = FORMATS["latex"](named(table, label))
    assert not re.search(r"(\\\\|rule)\s*[\[*]", text)
    assert f"{{}}{label} &" in text


SYMBOLS = "\N{GREEK SMALL LETTER ALPHA}βλστωΔΩ≥\N{MINUS SIGN}"


def test_latex_of_a_long_table_continues_in_further_floats(table):
    def floats(rows):
        text = FORMATS["latex"](replace(table, rows=rows * table.rows[:1]))
        count = text.count(r"\begin{tabular}")
        assert text.count(r" \\") == rows + 2 * count  # each has two lines of headings
        return count

    assert floats(5) == 1
    assert 2 <= floats(60) < floats(200) < 10


def test_latex_writes_symbols_as_mathematics(table):
    text = FORMATS["latex"](named(table, SYMBOLS))
    row = next(line for line in text.splitlines() if line.startswith("$"))
    assert row.isascii()
    for command in ("alpha", "beta", "lambda", "sigma", "tau", "omega", "Delta", "Omega", "geq"):
        assert rf"$\{command}$" in row


def test_terminal_marks_without_colours(results, capsys):
    print_table(score_table(results))
    text = capsys.readouterr().out
    assert " *" in text
    assert "*: the best of a row" in text
    assert "\x1b" not in text


def test_no_line_of_a_wide_table_is_broken_in_a_file(d4rl, capsys):
    table = score_table(
        d4rl, "final", [published.load(name) for name in ("corl-last", "corl-best", "offlinerl-kit")]
    )
    print_table(table)
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.strip().startswith("Hopper medium"))
    assert row.count("±") >= 6
    assert "…" not in row


def test_a_narrow_terminal_shows_every_number(d4rl):
    table = score_table(d4rl, "final", [published.load("td3_bc-paper-v2"), published.load("corl-last")])

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        patch.setenv("TERM", "dumb")
        print_table(table, terminal)
    text = terminal.getvalue()
    assert "…" not in text
    for row in table.rows:
        for cell in row.cells:
            assert cell.plain() in text


def test_cells_show_numbers_deviations_and_marks():
    assert Cell(-0.04, signed=True).plain() == "0.0"
    assert Cell(0.06, signed=True).plain() == "+0.1"
    assert Cell(1013.2, 57.4).plain() == "1,013.2 ± 57.4"
    assert Cell().plain() == "-"
    assert Cell(mark="0/5 seeds").plain() == "- (0/5 seeds)"
    assert Cell(2.0, interval=(1.0, 3.5)).plain() == "2.0 [1.0, 3.5]"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("columns", ["onecolumn", "twocolumn"])
def test_latex_compiles_as_it_is_and_fits_the_page(tmp_path, table, d4rl, columns):
    tasks, qualities = ("halfcheetah", "hopper", "walker2d"), ("random", "medium", "medium-replay", "expert")
    names = [f"{task}-{quality}-v{n}" for quality in qualities for task in tasks for n in (0, 2)]
    experiment = synthetic.experiment(datasets=names, seeds=4, steps=100_000, interval=5_000)
    many = reading.load(synthetic.write(tmp_path / "many", experiment))
    sources = ["td3_bc-paper-v2", "corl-last", "td3_bc-paper-v0", "corl-best"]
    wide = score_table(many, "final", [published.load(name) for name in sources])
    assert len(list(wide.parts(110))) > 1
    long = replace(table, rows=200 * table.rows[:1], name="long")
    tables = [
        table,
        score_table(d4rl, "last", [published.load("corl-last")]),
        statistics_table(d4rl),
        long,
        wide,
        replace(named(table, SYMBOLS), name="symbols"),
        replace(named(table, "[1] * of {all}"), name="guarded"),
    ]
    body = "\n".join(FORMATS["latex"](one) for one in tables)
    document = (
        rf"\documentclass[{columns}]{{article}}\usepackage{{booktabs, graphicx, amssymb}}"
        rf"\begin{{document}}{body}\end{{document}}"
    )
    (tmp_path / "page.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Undefined" not in done.stdout
    assert "Overfull" not in done.stdout
    assert "too large" not in done.stdout
    assert "multiply defined" not in done.stdout
    assert "Missing character" not in done.stdout
