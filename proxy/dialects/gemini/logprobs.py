"""Log-probabilities: ``logprobsResult`` and OpenAI's token objects."""

from __future__ import annotations

from typing import Any


def read_logprobs(result: dict[str, Any] | None) -> list[Any]:
    """Token objects for what a candidate says; none where nothing is told."""
    if result is None:
        return []
    chosen, top = _list(result.get("chosenCandidates")), _list(result.get("topCandidates"))
    tokens: list[Any] = []
    for at, one in enumerate(chosen):
        token = _token(one)
        if token is None:
            continue
        beside = top[at].get("candidates") if at < len(top) and isinstance(top[at], dict) else None
        token["top_logprobs"] = [other for one in _list(beside) if (other := _token(one)) is not None]
        tokens.append(token)
    return tokens


def write_logprobs(tokens: list[Any]) -> dict[str, Any]:
    """``logprobsResult``."""
    chosen = [_candidate(token) for token in tokens if isinstance(token, dict)]
    top = [
        {"candidates": [_candidate(one) for one in _list(token.get("top_logprobs")) if isinstance(one, dict)]}
        for token in tokens
        if isinstance(token, dict)
    ]
    written: dict[str, Any] = {"chosenCandidates": chosen}
    if any(one["candidates"] for one in top):
        written["topCandidates"] = top
    return written


def _token(one: Any) -> dict[str, Any] | None:
    if not isinstance(one, dict) or not isinstance(one.get("token"), str):
        return None
    told = one.get("logProbability", 0.0)
    probability = float(told) if isinstance(told, int | float) else 0.0
    return {
        "token": one["token"],
        "logprob": probability,
        "bytes": list(one["token"].encode("utf-8", "surrogatepass")),
    }


def _candidate(token: dict[str, Any]) -> dict[str, Any]:
    return {"token": token.get("token", ""), "logProbability": token.get("logprob", 0.0)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
