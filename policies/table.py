"""The built-in policies and target nodes, by the name that the file uses, in the order of the reference."""

from __future__ import annotations

from policies.caching.cache import Cache
from policies.caching.cache_semantic import CacheSemantic
from policies.context.headers import Headers
from policies.context.prompt_cache import PromptCache
from policies.context.tags import Tags
from policies.development.chaos import Chaos
from policies.development.record import Record
from policies.guardrails.grounding import Grounding
from policies.guardrails.injection import Injection
from policies.guardrails.keywords import Keywords
from policies.guardrails.limits import Limits
from policies.guardrails.moderation import Moderation
from policies.guardrails.output_schema import OutputSchema
from policies.guardrails.pii import Pii
from policies.guardrails.secrets import Secrets
from policies.guardrails.tool_calls import ToolCalls
from policies.guardrails.topics import Topics
from policies.guardrails.urls import Urls
from policies.guardrails.webhook import Webhook
from policies.identity.allow_models import AllowModels
from policies.identity.authenticate import Authenticate
from policies.limits.idempotency import Idempotency
from policies.limits.queue import Queue
from policies.limits.quota import Quota
from policies.routing.adjust import Adjust
from policies.routing.balance import Balance
from policies.routing.canary import Canary
from policies.routing.classify import Classify
from policies.routing.experiment import Experiment
from policies.routing.fallback import Fallback
from policies.routing.mirror import Mirror
from policies.routing.priority import Priority
from policies.routing.race import Race
from policies.routing.split import Split
from policies.routing.when import When
from proxy.policy import Policy, Target

POLICIES: dict[str, type[Policy]] = {
    "authenticate": Authenticate,
    "allow_models": AllowModels,
    "tags": Tags,
    "headers": Headers,
    "prompt_cache": PromptCache,
    "injection": Injection,
    "keywords": Keywords,
    "topics": Topics,
    "limits": Limits,
    "output_schema": OutputSchema,
    "grounding": Grounding,
    "tool_calls": ToolCalls,
    "urls": Urls,
    "webhook": Webhook,
    "moderation": Moderation,
    "pii": Pii,
    "secrets": Secrets,
    "idempotency": Idempotency,
    "quota": Quota,
    "queue": Queue,
    "cache": Cache,
    "cache_semantic": CacheSemantic,
    "chaos": Chaos,
    "record": Record,
}

TARGETS: dict[str, type[Target]] = {
    "fallback": Fallback,
    "split": Split,
    "balance": Balance,
    "priority": Priority,
    "when": When,
    "classify": Classify,
    "race": Race,
    "mirror": Mirror,
    "canary": Canary,
    "experiment": Experiment,
    "adjust": Adjust,
}
