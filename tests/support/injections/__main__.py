"""``python -m tests.support.injections FILE [tune|held]``: write the labelled texts, one JSON object a line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.support.injections.sets import dataset

if __name__ == "__main__":
    rows = dataset(sys.argv[2] if len(sys.argv) > 2 else "")
    Path(sys.argv[1]).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} texts in {sys.argv[1]}")
