"""Users who ask, read, and say whether it helped: brief answers help 60 % of them, thorough ones 45 %.

    python examples/ab-test/simulate.py --users 300

Every application does the same with one request: the id of the answer (the header `x-request-id`) and a value.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

HELPED = {"brief-answers/brief": 0.60, "brief-answers/thorough": 0.45}


def live(address: str, user: int, seed: int) -> None:
    """One user: some questions, and what came of them."""
    rng = random.Random(f"{seed} {user}")  # noqa: S311 - people, not secrets
    connection = http.client.HTTPConnection(address, timeout=30)
    for _ in range(rng.choice((1, 1, 2, 4))):
        messages = [{"role": "user", "content": "How do I change my address?"}]
        body = {"model": "assistant", "user": f"user-{seed}-{user}", "messages": messages}
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
        answer = connection.getresponse()
        answer.read()
        request, variant = answer.headers["x-request-id"], answer.headers["x-sluicegate-variant"]
        solved = rng.random() < HELPED[variant]
        said = {"solved": solved}
        if rng.random() < 0.3:  # few people rate
            said["rating"] = rng.choice((4, 5, 5) if solved else (1, 2, 4))
        for name, value in said.items():
            tell(connection, {"request_id": request, "name": name, "value": value})
    connection.close()


def tell(connection: http.client.HTTPConnection, said: dict[str, object]) -> None:
    """Send feedback; a moment later, if it is too much at once."""
    while True:
        connection.request("POST", "/v1/feedback", json.dumps(said))
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 429:
            break
        time.sleep(float(reply.headers["retry-after"]))
    if reply.status != 200:
        raise SystemExit(f"{reply.status}: {text.decode()}")


def main() -> None:
    """Let them all live, some at a time."""
    parser = argparse.ArgumentParser(description="Simulate users of an assistant.")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    address = urlsplit(args.url).netloc
    with ThreadPoolExecutor(args.threads) as pool:
        list(pool.map(lambda user: live(address, user, args.seed), range(args.users)))
    print(f"{args.users} users have asked")


if __name__ == "__main__":
    main()
