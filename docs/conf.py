"""How the documentation is built: ``make docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import quarterdeck

project = "Quarterdeck"
author = "the Quarterdeck contributors"
project_copyright = author
version = release = quarterdeck.__version__

extensions = ["myst_parser", "quarterdeck_reference"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["requirements.txt"]
nitpicky = True

html_theme = "furo"
html_title = f"Quarterdeck {version}"
