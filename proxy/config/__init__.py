"""From the bytes of ``gateway.yaml`` to a runtime: load → check → compile, every problem with its position."""
