import subprocess
import sys

from harness.reporting import catalogue, figures, tables


def test_catalogue_names_what_there_is():
    assert list(catalogue.FIGURES) == list(figures.FIGURES)
    assert list(catalogue.TABLES) == list(tables.TABLES)
    assert ("terminal", *tables.FORMATS) == catalogue.TABLE_FORMATS


def test_importing_the_catalogue_loads_no_library():
    code = "import sys, harness.reporting.catalogue; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
