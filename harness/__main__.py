"""`python -m harness`, where the console script is not on the PATH."""

import sys

from harness.cli import main

if __name__ == "__main__":
    sys.exit(main())
