"""A file of cases: read like the configuration, with every problem in one run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema

from proxy.config.cases import Names, read_cases
from proxy.config.schema import SCHEMAS, TEST, bundle
from proxy.rehearsal.cases import Behaviour, Suite
from tests.support.config import written

NAMES = Names({"acme/search/web"}, {"chat"}, {"sim"}, {"openai"})


def read(folder: Path, text: str, names: Names | None = NAMES, **environ: str) -> tuple[Suite | None, list[str]]:
    """The suite, and problems without the folder."""
    path = written(folder, text, "gateway.test.yaml")
    suite, problems = read_cases(path, environ, lambda _: names)
    return suite, [str(problem).split("gateway.test.yaml:", 1)[-1] for problem in problems]


def test_the_schema_is_a_schema_and_its_examples_keep_it() -> None:
    root = bundle(TEST)
    jsonschema.Draft202012Validator.check_schema(root)
    assert json.loads((SCHEMAS / TEST).read_text())["title"] == "gateway.test.yaml"
    for name in ("case", "request", "earlier", "expectation", "behaviour"):
        for example in root["$defs"][name].get("examples", ()):
            jsonschema.Draft202012Validator({**root["$defs"][name], "$defs": root["$defs"]}).validate(example)


def test_a_case_is_read(tmp_path: Path) -> None:
    """What came before has what it leaves out from the case."""
    suite, problems = read(
        tmp_path,
        """
        environment: {A: b}
        cases:
          - name: one
            given:
              request: {model: fast}
              key: acme/search/web
              at: 2026-12-24T09:00Z
              upstream: {sim: [down, {text: Hi, slow: 2s}]}
              before:
                - {times: 3, at: 2026-12-24T10:00+02:00}
                - {secret: sk-other, request: {model: slow}}
            expect: {cost: $0.5, not: {target: sim/a}}
        """,
    )
    assert problems == []
    assert suite is not None
    (case,) = suite.cases
    assert case.place.endswith("gateway.test.yaml:4:11")
    assert (suite.environment, case.given.at) == ({"A": "b"}, 1798102800.0)
    assert case.given.upstream["sim"] == ("down", Behaviour(text="Hi", slow=2.0))  # type: ignore[arg-type]
    first, second = case.before
    assert (first.times, first.key, first.at, first.request) == (3, "acme/search/web", 1798099200.0, case.given.request)
    assert (second.key, second.secret, second.request.model, second.at) == ("", "sk-other", "slow", case.given.at)
    assert case.expect.cost == 500_000_000
    assert case.expect.forbidden is not None
    assert case.expect.forbidden.target == "sim/a"


def test_a_wrong_shape_is_told_with_its_place(tmp_path: Path) -> None:
    _, problems = read(
        tmp_path,
        """
        cases:
          - name: one
            given: {reqest: {model: fast}, upstream: {sim: dwon}}
            expect: {satus: 200, cost: 5}
        """,
    )
    assert problems == [
        '4:13 cases[0].given.reqest: unknown key "reqest"; did you mean "request"?',
        '4:52 cases[0].given.upstream.sim: unknown behaviour "dwon"; did you mean "down"?',
        '5:14 cases[0].expect.satus: unknown key "satus"; did you mean "status"?',
        '5:32 cases[0].expect.cost: must be an amount such as $0.15, not the number 5; did you mean "$5"?',
    ]


def test_names_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    _, problems = read(
        tmp_path,
        """
        cases:
          - name: one
            given: {request: {model: fast}, key: acme/search/wbe, upstream: {openai: down, smi/x: down}, at: noon}
            expect: {route: chta, attempts: [nobody/x], body: {at: {a..b: 1}}, not: {target: smi/y}}
          - name: one
            given: {request: {model: x}, before: [{at: 2027-01-01}], at: 2026-01-01}
            expect: {route: none, target: none}
          - {name: two, given: {request: {stream: true}, before: [{times: 2}]}, expect: {status: 200}}
        """,
    )
    assert problems == [
        '4:42 cases[0].given.key: the configuration has no key "acme/search/wbe"; did you mean "acme/search/web"?',
        '4:70 cases[0].given.upstream.openai: the provider "openai" is left out, as it is optional; `environment` '
        "can give what it lacks",
        '4:84 cases[0].given.upstream["smi/x"]: the configuration has no provider "smi"; did you mean "sim"?',
        '4:102 cases[0].given.at: "noon" is not a time; write it like 2026-12-24T09:00Z',
        '5:21 cases[0].expect.route: the configuration has no route "chta"; did you mean "chat"?',
        '5:38 cases[0].expect.attempts[0]: the configuration has no provider "nobody"; known: sim',
        "5:61 cases[0].expect.body.at[\"a..b\"]: 'a..b' is not a path; write it like messages[0].content",
        '5:86 cases[0].expect.not.target: the configuration has no provider "smi"; did you mean "sim"?',
        '6:11 cases[1].name: another case is called "one" too',
        "7:48 cases[1].given.before[0].at: what was sent before has a later time than the case itself",
        "9:25 cases[2].given.request: `model` is missing, or a whole `body`",
    ]


def test_what_contradicts_itself_is_told(tmp_path: Path) -> None:
    _, problems = read(
        tmp_path,
        """
        cases:
          - name: one
            given:
              request: {model: a, body: text}
              key: acme/search/web
              secret: sk-x
              upstream: {sim: [{status: 500, text: Hi}, {message: no}]}
            expect: {status: 200}
          - {name: two, given: {request: {messages: [{role: user}], body: {}}}, expect: {status: 200}}
        """,
    )
    assert [problem.partition(": ")[2] for problem in problems] == [
        "a body that is text holds its model itself",
        "`key` and `secret` together; use one of them",
        "an error (`status`) has no `text`",
        "`message` belongs to an error; name its `status`",
        "`body` and `messages` together; use one of them",
    ]


def test_no_file_an_empty_one_and_a_broken_configuration(tmp_path: Path) -> None:
    suite, problems = read_cases(tmp_path / "none.yaml", {}, lambda _: NAMES)
    assert suite is None
    assert [problem.message for problem in problems] == ["the file does not exist"]
    assert read(tmp_path, "# nothing") == (None, ["1:1: the file is empty; it needs at least `cases`"])
    good = "cases: [{name: a, given: {request: {model: x}}, expect: {status: 200}}]"
    assert read(tmp_path, good, None) == (None, [])  # whoever looked has told


def test_the_configuration_is_looked_at_with_the_environment_of_the_file(tmp_path: Path) -> None:
    """References are resolved here too, by the real one."""
    seen: list[Mapping[str, str]] = []

    def look(environment: Mapping[str, str]) -> Names:
        seen.append(environment)
        return NAMES

    case = "{name: a, given: {request: {model: x}}, expect: {status: 200}}"
    text = f"{{environment: {{KEY: '${{env:SECRET}}'}}, cases: [{case}]}}"
    read_cases(written(tmp_path, text), {"SECRET": "sk-hidden"}, look)
    assert seen == [{"KEY": "sk-hidden"}]
