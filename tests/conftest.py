"""What the scripts do is tested too: they are modules below the root of the checkout, which is no installed package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
