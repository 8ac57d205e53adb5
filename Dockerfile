# The gateway in a container of its own.
#
#   docker build -t sluicegate .
#   docker run -p 8080:8080 -v "$PWD/config:/etc/sluicegate:ro" -e OPENAI_API_KEY sluicegate
#
# The mounted directory holds gateway.yaml, with `listen: 0.0.0.0:8080`; edits are seen while it runs. The file that the
# image carries listens on loopback, so without a mount only the container itself reaches it.
FROM python:3.13-slim AS build
WORKDIR /src
COPY .ci/requirements.lock .ci/
RUN python -m venv /opt/sluicegate \
    && /opt/sluicegate/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: -r .ci/requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY proxy proxy
COPY policies policies
COPY schemas schemas
RUN /opt/sluicegate/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/sluicegate sluicegate
COPY --from=build /opt/sluicegate /opt/sluicegate
COPY gateway.yaml /etc/sluicegate/gateway.yaml
ENV PATH=/opt/sluicegate/bin:$PATH \
    SLUICEGATE_CONFIG=/etc/sluicegate/gateway.yaml \
    SLUICEGATE_STATE_DIR=/var/lib/sluicegate \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/sluicegate
USER sluicegate
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["sluicegate", "serve"]
