"""The commands beside `serve`, as their users type them."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.environment import ROOT
from tests.support.nursery import sluicegate

GOOD = """
listen: 127.0.0.1:8080
providers:
  sim: {kind: simulated}
tenants:
  acme: {teams: {search: {models: [fast], keys: {web: {hash: "sha256:@"}}}}}
routes:
  chat:
    models: [fast, secret]
    policies:
      - authenticate
      - allow_models
      - tags: {accept: [user]}
    target:
      split:
        sticky: user
        of:
          - {weight: 90, target: sim/steady}
          - {weight: 10, target: sim/new}
""".replace("@", hashlib.sha256(b"sk-caller").hexdigest())


def run(*args: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run ``sluicegate`` and wait."""
    return sluicegate(*args, folder=cwd, stdin=stdin)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good gateway.yaml."""
    (tmp_path / "gateway.yaml").write_text(GOOD)
    return tmp_path


def test_check_accepts_a_good_file(folder: Path) -> None:
    """Exit code 0, one line."""
    done = run("check", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "gateway.yaml: ok (1 route, 1 provider)\n")
    found = json.loads(run("check", "--json", cwd=folder).stdout)
    assert (found["ok"], found["problems"]) == (True, [])


def test_check_tells_every_problem(folder: Path) -> None:
    """Exit code 2; each with file, line, column, path, reason, suggestion; as JSON too."""
    (folder / "gateway.yaml").write_text(GOOD.replace("sticky", "stikcy").replace("sim/new", "smi/new"))
    done = run("check", cwd=folder)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert any(line.startswith("gateway.yaml:16:9 ") and "sticky" in line for line in lines)
    found = json.loads(run("check", "--json", cwd=folder).stdout)
    assert not found["ok"]
    assert {"file", "line", "col", "path", "message"} <= set(found["problems"][0])


def test_check_says_when_there_is_no_file(tmp_path: Path) -> None:
    """Exit code 2 and the name, no traceback."""
    done = run("check", "--config", "nowhere.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_explain_shows_route_policies_target_and_body(folder: Path) -> None:
    """Without sending anything."""
    done = run(
        "explain", "--model", "fast", "--key", "sk-caller", "--header", "x-sluicegate-tags: user=ada", cwd=folder
    )
    text = done.stdout
    assert done.returncode == 0
    for words in ("route     chat", "caller is acme/search/web", "user=ada", "falls here", "falls elsewhere"):
        assert words in text
    assert "sk-caller" not in text


def test_explain_tells_a_refusal(folder: Path) -> None:
    """Exit code 1 when the request would be refused, with the code the caller would see."""
    for args, code in (
        (("--model", "fast"), "invalid_api_key"),
        (("--model", "secret", "--key", "sk-caller"), "model_not_allowed"),
        (("--model", "unknown", "--key", "sk-caller"), "model_not_found"),
    ):
        done = run("explain", "--json", *args, cwd=folder)
        assert done.returncode == 1
        assert json.loads(done.stdout)["refusal"]["error"]["code"] == code


def test_explain_takes_a_body_from_standard_input(folder: Path) -> None:
    """And shows it with the model replaced, every other byte as it is."""
    body = b'{ "messages": [],"model" : "fast", "x":[1.0,2e5] }'
    args = ("explain", "--json", "--key", "sk-caller", "--header", "x-sluicegate-tags: user=ada", "--body", "-")
    found = json.loads(run(*args, cwd=folder, stdin=body).stdout)
    sent = found["body"]
    assert sent in (body.decode().replace("fast", "steady"), body.decode().replace("fast", "new"))


def test_schema_prints_and_writes(folder: Path) -> None:
    """One self-contained JSON Schema."""
    printed = json.loads(run("schema", cwd=folder).stdout)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert run("schema", "--output", "schema.json", cwd=folder).returncode == 0
    assert json.loads((folder / "schema.json").read_text()) == printed


def test_schema_of_expectations(folder: Path) -> None:
    """One document for `gateway.test.yaml`, in which every reference is its own."""
    printed = json.loads(run("schema", "--test", cwd=folder).stdout)
    assert printed["title"] == json.loads((ROOT / "schemas" / "test.json").read_text())["title"]
    found = re.findall(r'"\$ref": "([^"]+)"', json.dumps(printed))
    assert all(ref.startswith("#/$defs/") and ref.removeprefix("#/$defs/") in printed["$defs"] for ref in found)
    assert run("schema", "--test", "--output", "schema.json", cwd=folder).returncode == 0
    assert json.loads((folder / "schema.json").read_text()) == printed


def test_a_new_key_fits_its_hash(folder: Path) -> None:
    """The key on standard output, what goes into the file beside it."""
    found = json.loads(run("keys", "new", "acme/search/web", "--json", cwd=folder).stdout)
    assert found["hash"] == "sha256:" + hashlib.sha256(found["key"].encode()).hexdigest()
    done = run("keys", "new", "acme/search/web", cwd=folder)
    assert done.stdout.startswith("sk-sluice-")
    assert hashlib.sha256(done.stdout.strip().encode()).hexdigest() in done.stderr
    assert run("keys", "new", "acme", cwd=folder).returncode == 2


def test_wrong_use_is_exit_code_2(folder: Path) -> None:
    """With a hint how to use it."""
    for args in ((), ("serv",), ("check", "--confg", "x")):
        done = run(*args, cwd=folder)
        assert done.returncode == 2
        assert "usage: sluicegate" in done.stderr
    assert run("--help", cwd=folder).returncode == 0
    assert json.loads(run("version", "--json", cwd=folder).stdout)["sluicegate"]
