"""However a file is written, its final content is served; a bad one changes nothing (REL-02, REL-03)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from policies.table import POLICIES, TARGETS
from proxy.config.compile import Tables, build
from proxy.providers.table import PROVIDERS
from proxy.runtime import Shared
from tests.support.journal import header_of

GOLDEN = Path(__file__).parents[1] / "golden" / "config"
ENVIRONMENT = {"SET": "some-value", "EMPTY": "", "SECRET": "sk-this-must-never-be-shown"}
CHAT = "/v1/chat/completions"
ASK = {"model": "fast", "messages": []}


def config(url: str, number: int, comment: str = "") -> str:
    """A file that ends with what it cannot do without, so that no half of it is valid. All are of one size."""
    return f"""
listen: 127.0.0.1:8080
retries: {{max: 0}}
health: {{enabled: false}}
routes:
  chat:
    models: [fast]
    policies:
      - headers: {{response: {{set: {{x-file: "{number:03}"}}}}}}
    target: up/fast
{comment}
providers:
  up: {{kind: openai, base_url: "{url}"}}
"""


def digest(*texts: str) -> str:
    """What the gateway calls a configuration of these files."""
    found = hashlib.sha256()
    for text in texts:
        data = text.encode()
        found.update(b"%d:" % len(data) + data)
    return found.hexdigest()[:16]


def readyz(running: Any) -> dict[str, Any]:
    """What the gateway says of itself."""
    found: dict[str, Any] = json.loads(running.get("/readyz")[1])
    return found


async def serves(running: Any, wanted: str) -> None:
    """Wait until this content is in use, and nothing is wrong with what is on disk."""
    end = time.monotonic() + 10
    while (state := await asyncio.to_thread(readyz, running))["digest"] != wanted or "problems" in state:
        assert time.monotonic() < end, f"{wanted} is not in use: {state}\n{running.output()[-2000:]}"
        await asyncio.sleep(0.01)


async def refused(running: Any, count: int, name: str = "") -> dict[str, Any]:
    """The log line of the refusal with this number, as soon as it is there."""
    end = time.monotonic() + 10
    while len(lines := running.log("reload.refused")) < count:
        assert time.monotonic() < end, f"{name} is not refused:\n{running.output()[-2000:]}"
        await asyncio.sleep(0.01)
    line: dict[str, Any] = lines[count - 1]
    return line


# Ways to write a file


def in_steps(path: Path, text: str, chance: random.Random) -> None:
    """Truncated, then written in three pieces."""
    third = len(text) // 3
    with path.open("w") as file:
        for piece in (text[:third], text[third : 2 * third], text[2 * third :]):
            time.sleep(chance.uniform(0, 0.15))
            file.write(piece)
            file.flush()


def in_place(path: Path, text: str, chance: random.Random) -> None:
    """Truncated and written at once."""
    path.write_text(text)


def renamed_over(path: Path, text: str, chance: random.Random) -> None:
    """Written aside, then renamed: most editors."""
    aside = path.with_name(f".{path.name}.{chance.random()}.swp")
    aside.write_text(text)
    aside.replace(path)


def with_backup(path: Path, text: str, chance: random.Random) -> None:
    """The old one renamed away, then a new one created: vim."""
    path.replace(path.with_name(f"{path.name}~"))
    time.sleep(chance.uniform(0, 0.1))
    path.write_text(text)


def deleted_first(path: Path, text: str, chance: random.Random) -> None:
    """Gone for a while."""
    path.unlink()
    time.sleep(chance.uniform(0, 0.15))
    path.write_text(text)


def at_the_same_time(path: Path, text: str, chance: random.Random) -> None:
    """Same size, same time of modification."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def with_other_rights(path: Path, text: str, chance: random.Random) -> None:
    """Rights and times change besides."""
    path.chmod(0o600)
    path.write_text(text)
    path.chmod(0o644)
    os.utime(path)


def through_a_link(path: Path, text: str, chance: random.Random) -> None:
    """The file becomes a link to another directory."""
    folder = path.parent / f"elsewhere-{chance.random()}"
    folder.mkdir()
    (folder / "real.yaml").write_text(text)
    aside = path.with_name("link")
    aside.symlink_to(folder / "real.yaml")
    aside.replace(path)


def in_a_hurry(path: Path, text: str, chance: random.Random) -> None:
    """Several others before it, there and back."""
    before = path.read_text()
    for other in (text.replace("fast]", "fast, more]"), before, text, before, text):
        renamed_over(path, other, chance)
        time.sleep(chance.uniform(0, 0.03))


WAYS: list[Callable[[Path, str, random.Random], None]] = [
    in_steps, in_place, renamed_over, with_backup, deleted_first, at_the_same_time, with_other_rights, through_a_link,
    in_a_hurry,
]  # fmt: skip
ROUNDS = 8


async def test_the_final_content_wins_however_it_is_written(gateway: Any, upstream: Any) -> None:
    """72 rounds: each content is taken once, never a half, and nothing else is."""
    running = gateway(config(upstream.url, 0))
    chance = random.Random(3)
    texts = [config(upstream.url, number) for number in range(1, 1 + ROUNDS * len(WAYS))]
    ways = WAYS * ROUNDS
    chance.shuffle(ways)
    for way, text in zip(ways, texts, strict=True):
        await asyncio.to_thread(way, running.config, text, chance)
        await serves(running, digest(text))
    await running.logged("reload.applied", digest=digest(texts[-1]))
    taken = [line["digest"] for line in running.log("reload.applied")]
    # Who is in a hurry brings back for a moment what was before.
    once = [
        digest(text)
        for text, way, after in zip(texts, ways, [*ways[1:], None], strict=True)
        if in_a_hurry not in (way, after)
    ]
    assert [taken.count(one) for one in once] == [1] * len(once)
    in_between = {digest(text.replace("fast]", "fast, more]")) for text in texts}
    assert set(taken) - in_between == {digest(text) for text in texts}


async def test_what_is_only_touched_is_not_read_again(gateway: Any, upstream: Any) -> None:
    """Rights, times, the same content anew, other files beside it: none of these is a reload."""
    text = config(upstream.url, 0)
    running = gateway(text)
    for round_ in range(5):
        running.config.chmod(0o600 + round_)
        os.utime(running.config)
        running.write(text)
        (running.folder / f"other-{round_}.yaml").write_text("x")
        await asyncio.sleep(0.15)
    running.write(config(upstream.url, 1))
    await running.logged("reload.applied", digest=digest(config(upstream.url, 1)))
    assert running.generation() == 2


async def test_a_configuration_map_is_swapped_as_a_whole(gateway: Any, upstream: Any) -> None:
    """A link to a directory is swapped, as orchestrators do it: two files never mix."""
    running = gateway(config(upstream.url, 999))
    folder = running.folder
    swapped: list[str] = []

    def swap(number: int) -> None:
        main = config(upstream.url, number, "include: [more.yaml]")
        more = f"log: {{level: info}}\n# {number:03}\n"
        new = folder / f"..2026_{number:03}"
        new.mkdir()
        (new / "gateway.yaml").write_text(main)
        (new / "more.yaml").write_text(more)
        (folder / "..data_tmp").symlink_to(new.name)
        old = (folder / "..data").resolve()
        (folder / "..data_tmp").replace(folder / "..data")
        if number:
            shutil.rmtree(old)
        swapped.append(digest(main, more))

    swap(0)
    (folder / "more.yaml").symlink_to("..data/more.yaml")
    (folder / "link").symlink_to("..data/gateway.yaml")
    (folder / "link").replace(running.config)
    await serves(running, swapped[0])
    for number in range(1, 16):
        swap(number)
        if number % 3:  # else two in a row
            await serves(running, swapped[-1])
    await serves(running, swapped[-1])
    applied = [line["digest"] for line in running.log("reload.applied")]
    assert applied == [one for one in swapped if one in applied]


async def test_included_files_and_secrets_are_watched(gateway: Any, wire: Any, upstream: Any, tmp_path: Path) -> None:
    """Each of them, wherever it is; what is missing is awaited, and what runs is served from memory."""
    text = f"""
listen: 127.0.0.1:8080
include: [team/routes.yaml]
providers:
  up: {{kind: openai, base_url: "{upstream.url}", api_key: "${{file:secrets/key}}"}}
"""
    routes = "routes: {{chat: {{models: [fast, other-{}], target: up/fast}}}}\n"
    part, secret = (tmp_path / "gateway1" / name for name in ("team/routes.yaml", "secrets/key"))
    for path, content in ((part, routes.format(0)), (secret, "sk-000\n")):
        path.parent.mkdir(parents=True)
        path.write_text(content)
    running = gateway(text)
    connection = await wire(running.port)
    chance = random.Random(5)
    for number in range(1, 13):
        way = chance.choice((renamed_over, in_place, at_the_same_time))
        if number % 2:
            await asyncio.to_thread(way, part, routes.format(number), chance)
        else:
            await asyncio.to_thread(way, secret, f"sk-{number:03}\n", chance)
        await running.reloaded(number + 1)
        await serves(running, digest(text, part.read_text()))
        assert (await connection.exchange("POST", CHAT, ASK))[0] == 200
        sent = header_of(upstream.journal().requests()[-1], "authorization")
        assert sent == f"Bearer sk-{number // 2 * 2:03}"
    for number, path in enumerate((part, secret), 1):
        content = path.read_text()
        path.unlink()
        assert "does not exist" in str(await refused(running, number))
        assert (await connection.exchange("POST", CHAT, ASK))[0] == 200
        aside = path.with_name("aside")  # in one step: a file that is empty for a moment would be refused once more
        aside.write_text(content)
        aside.replace(path)
        await serves(running, digest(text, part.read_text()))
    assert "sk-0" not in running.output()


async def test_the_directory_itself_may_be_replaced(gateway: Any, upstream: Any, tmp_path: Path) -> None:
    """Twice, so that the new one is watched as the old one was."""
    folder = tmp_path / "gateway1" / "config"
    folder.mkdir(parents=True)
    running = gateway(config(upstream.url, 0), name="config/gateway.yaml")
    for number in (1, 2):
        folder.rename(folder.with_name(f"old-{number}"))
        folder.mkdir()
        (folder / "gateway.yaml").write_text(config(upstream.url, number))
        await serves(running, digest(config(upstream.url, number)))
    begun = time.monotonic()
    for number in range(3, 8):
        running.write(config(upstream.url, number))
        await serves(running, digest(config(upstream.url, number)))
    assert time.monotonic() - begun < 4, "the new directory is only polled"


# Bad files


def problems(folder: Path, data: bytes) -> list[str]:
    """What `check` says of this content."""
    (folder / "gateway.yaml").write_bytes(data)
    built = build(
        folder / "gateway.yaml",
        Tables(POLICIES, TARGETS, PROVIDERS),
        environ=ENVIRONMENT,
        shared=Shared(),
        generation=1,
        now=time.time,
        listen="127.0.0.1:1",
    )
    return [str(problem) for problem in built.problems]


def bad_files(folder: Path) -> dict[str, tuple[bytes, list[str]]]:
    """Files of ``tests/golden`` and made ones, by name, each with its problems."""
    found = {case.stem: case.read_bytes() for case in sorted(GOLDEN.glob("*.yaml"))}
    chance = random.Random(2)
    good = config("http://127.0.0.1:9/v1", 0).encode()
    for number in range(10):
        found[f"cut-{number}"] = good[: chance.randrange(len(good) - 80)]
        at = chance.randrange(len(good))
        found[f"damaged-{number}"] = good[:at] + bytes([chance.choice((0, 9, 34, 58, 91, 255))]) * 3 + good[at:]
    each_once = {data: name for name, data in found.items()}
    judged = {name: (data, problems(folder, data)) for data, name in each_once.items()}
    return {name: (data, said) for name, (data, said) in judged.items() if said}


async def test_a_bad_file_changes_nothing_and_says_why(gateway: Any, wire: Any, upstream: Any, tmp_path: Path) -> None:
    """The old generation serves on; log, metric and /readyz tell what `check` tells; the next good file is taken."""
    judge = tmp_path / "judge"
    judge.mkdir()
    shutil.copytree(GOLDEN / "parts", judge / "parts")
    shutil.copytree(GOLDEN / "parts", tmp_path / "gateway1" / "config" / "parts")
    files = bad_files(judge)
    assert len(files) >= 60
    running = gateway(config(upstream.url, 0), env=ENVIRONMENT, name="config/gateway.yaml")
    failed: list[int] = []
    stop = asyncio.Event()

    async def keep_asking() -> None:
        client = await wire(running.port)
        while not stop.is_set():
            status, _ = await client.exchange("POST", CHAT, ASK)
            failed.extend([status] * (status != 200))
            await asyncio.sleep(0.005)

    asking = asyncio.ensure_future(keep_asking())
    connection = await wire(running.port)
    generation = 1
    for number, (name, (data, said)) in enumerate(files.items(), 1):
        aside = running.config.with_suffix(".new")
        aside.write_bytes(data)
        aside.replace(running.config)
        line = await refused(running, number, name)
        expected = [problem.replace(str(judge), str(running.config.parent)) for problem in said]
        assert (line["problems"], readyz(running)["problems"]) == (expected, expected), name
        assert (await connection.exchange("POST", CHAT, ASK))[0] == 200
        assert connection.header("x-sluicegate-generation") == str(generation)
        if number % 20 == 0:
            assert "sluicegate_config_last_reload_successful 0.0" in running.get("/metrics")[1].decode()
            running.write(config(upstream.url, number))
            generation += 1
            await serves(running, digest(config(upstream.url, number)))
            assert "sluicegate_config_last_reload_successful 1.0" in running.get("/metrics")[1].decode()
    stop.set()
    await asking
    assert failed == []
    assert ENVIRONMENT["SECRET"] not in running.output()
    assert "Traceback" not in running.output()
    assert f'sluicegate_config_reloads_total{{result="refused"}} {len(files)}.0' in running.get("/metrics")[1].decode()
