"""Where these tests find `plans_at_random`, which several of them share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
