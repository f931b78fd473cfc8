# The service alone: no torch, no DVC, no recordings. `docker build --build-arg GIT_COMMIT=$(git rev-parse HEAD) .`
FROM python:3.11.13-slim-bookworm AS base

FROM base AS builder
RUN apt-get update && apt-get install -y --no-install-recommends g++
WORKDIR /build
# What is installed changes seldom, so it is a layer of its own; `packages` is laid over the final image's /usr/local.
COPY api/requirements.txt api/
COPY api/native api/native
RUN python -m pip install --ignore-installed --prefix=packages -r api/requirements.txt
RUN python -m pip install --ignore-installed --prefix=packages ./api/native

FROM base
COPY --from=builder /build/packages /usr/local
WORKDIR /app
# The same files as in build/service, those that it calls LATER in pipeline/service.py, and dvc.lock: every answer carries
# its hash.
COPY assets/model.onnx assets/state_dict.pt assets/decoder.json assets/metrics.json assets/model_card.md \
    assets/example.json assets/example_answer.json assets/diagnosis.json assets/machine.json assets/protocols.json \
    assets/
COPY assets/examples assets/examples
COPY data/bearings.csv data/
COPY model model
COPY api api
COPY dvc.lock ./
# The compiled reader must be there; and its user may not write bytecode later, so each start would compile anew.
RUN python -c "import fast_records" && python -m compileall -q api model
ARG GIT_COMMIT=""
# An image keeps nothing, so it watches no machines unless told where: DATABASE_URL=postgresql://...
ENV HOST=0.0.0.0 PORT=8000 DATABASE_URL=none OPENBLAS_NUM_THREADS=1 PYTHONUNBUFFERED=1 GIT_COMMIT=$GIT_COMMIT
EXPOSE 8000
USER 10001:10001
STOPSIGNAL SIGTERM
# Straight to the service, whatever proxy the environment names.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/health/ready', timeout=4)"]
CMD ["python", "-m", "api"]
