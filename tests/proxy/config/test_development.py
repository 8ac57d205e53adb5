"""What belongs on a developer's machine; the words are in ``tests/golden/config``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config import built, lines, written

_FILE = """
    {listen}
    providers: {{sim: {{kind: simulated}}}}
    routes:
      chat: {{open: true, policies: [chaos: {{{allow} faults: [{{fault: reset}}]}}], target: sim/x}}
"""


@pytest.mark.parametrize(
    ("listen", "allow", "problems"),
    [
        ("", "", 0),
        ("listen: '[::1]:80'", "", 0),
        ("listen: localhost:8080", "", 0),
        ("listen: 0.0.0.0:8080", "", 1),
        ("listen: 10.0.0.1:8080", "allow: false,", 1),
        ("listen: 10.0.0.1:8080", "allow: true,", 0),
    ],
)
def test_strangers_meet_no_chaos(tmp_path: Path, listen: str, allow: str, problems: int) -> None:
    found = built(written(tmp_path, _FILE.format(listen=listen, allow=allow)))
    assert len(lines(found.problems)) == problems


def test_the_address_of_the_command_line_counts(tmp_path: Path) -> None:
    path = written(tmp_path, _FILE.format(listen="", allow=""))
    (line,) = lines(built(path, listen="0.0.0.0:8080").problems)
    assert "other machines may reach 0.0.0.0:8080" in line
    path = written(tmp_path, _FILE.format(listen="listen: 0.0.0.0:80", allow=""))
    assert not built(path, listen="127.0.0.1:8080").problems
