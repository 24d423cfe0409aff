"""`python -m tokengate` is the `tokengate` command."""

import sys

from tokengate.cli.main import main

sys.exit(main())
