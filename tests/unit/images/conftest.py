"""The scripts that build images are modules below the root of the checkout, which is no installed package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))
