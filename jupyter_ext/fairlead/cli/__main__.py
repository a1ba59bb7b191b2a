"""`python -m fairlead.cli`, for where the script is not on the path."""

import sys

from fairlead.cli import main

sys.exit(main())
