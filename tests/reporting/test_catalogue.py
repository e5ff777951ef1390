import subprocess
import sys
from typing import get_args

from harness.reporting import catalogue, figures, tables
from harness.scores import Score


def test_catalogue_names_what_there_is():
    assert list(catalogue.FIGURES) == list(figures.FIGURES)
    assert list(catalogue.TABLES) == list(tables.TABLES)
    assert ("terminal", *tables.FORMATS) == catalogue.TABLE_FORMATS
    assert get_args(Score) == catalogue.SCORES


def test_importing_the_catalogue_loads_no_library():
    code = "import sys, harness.reporting.catalogue; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
