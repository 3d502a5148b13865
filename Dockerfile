# The engine, and on top of it the notebooks. `docker compose build` makes both; docs/deployment.md says what was tried.
ARG PYTHON_VERSION=3.11
FROM python:${PYTHON_VERSION}-slim-bookworm AS build
ARG UV_VERSION=0.13.9
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir "uv==${UV_VERSION}"
WORKDIR /opt/cauri
# Packages change less often than the code: their layer is kept.
COPY pyproject.toml README.md ./
RUN uv sync --extra ml --no-install-project
COPY . .
# The loops of the features are compiled here, and not by each container.
RUN uv sync --extra ml && .venv/bin/python -c "from ml.fraud.rows import load_loops; load_loops()"

FROM build AS build-lab
RUN uv sync --extra ml --group lab

FROM python:${PYTHON_VERSION}-slim-bookworm AS runtime
# libgomp1: lightgbm's wheel does not bring it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 cauri \
    && useradd --uid 10001 --gid cauri --create-home cauri \
    && install --directory --owner cauri --group cauri /var/lib/cauri /var/lib/cauri-models /notebooks
ENV PATH=/opt/cauri/.venv/bin:$PATH CAURI_HOME=/var/lib/cauri CAURI_MODELS=/var/lib/cauri-models PYTHONUNBUFFERED=1
WORKDIR /var/lib/cauri
ENTRYPOINT ["/opt/cauri/deploy/compose/with-secrets.sh"]

FROM runtime AS lab
COPY --from=build-lab /opt/cauri /opt/cauri
RUN chown -R cauri:cauri /opt/cauri/ml/features/__pycache__
COPY --chown=cauri:cauri notebooks /notebooks
USER 10001:10001
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--ServerApp.root_dir=/notebooks"]

FROM runtime AS engine
COPY --from=build /opt/cauri /opt/cauri
# Numba takes machine code only from where it could write some.
RUN chown -R cauri:cauri /opt/cauri/ml/features/__pycache__
USER 10001:10001
CMD ["cauri", "--help"]
