"""The command `harness` with the fake trainer, for tests through real processes."""

import sys

from harness import cli, datasets
from harness.tuning import assignment

assignment.PACK = "tests.faults.fake:FakePack"
datasets.check = lambda *_: None
cli.COMMANDS = ("run", "resume", "status", "table")

if __name__ == "__main__":
    sys.exit(cli.main())
