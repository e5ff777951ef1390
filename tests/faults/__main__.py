"""The command `harness` with the fake trainer, for tests through real processes."""

import sys

from harness import cli
from harness.tuning import assignment, preflight

assignment.PACK = "tests.faults.fake:FakePack"
preflight.check_sources = preflight.check_trials = lambda *_, **__: None
cli.COMMANDS = ("run", "resume", "status", "table")

if __name__ == "__main__":
    sys.exit(cli.main())
