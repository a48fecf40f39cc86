"""python -m damon.cli is the `damon` command."""

import sys

from . import main

sys.exit(main())
