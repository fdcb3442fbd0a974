# The server in a container; what only training needs (DeepSpeed) stays outside.
#   docker build -t zerochat .
#   docker run -p 127.0.0.1:8000:8000 -v "$PWD/out:/models:ro" --stop-timeout 60 zerochat --model /models/small
# With a GPU: build with --build-arg BASE=nvidia/cuda:12.8.1-base-ubuntu24.04, run with --gpus all.
ARG BASE=python:3.12-slim
FROM ${BASE}
# Further options for pip, such as the index of torch's smaller CPU-only wheels.
ARG PIP_ARGS=""
RUN python3 -c "import ensurepip, venv" || (apt-get update && \
    apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*)
RUN python3 -m venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY pyproject.toml .
# The versions stand in pyproject.toml alone.
RUN pip install --no-cache-dir ${PIP_ARGS} $(python3 -c "import re, tomllib; \
    project = tomllib.load(open('pyproject.toml', 'rb'))['project']; needed = ['torch', 'sentencepiece', 'numpy', 'safetensors']; \
    print(*(d for d in project['dependencies'] if re.split('[=<>]', d)[0] in needed), *project['optional-dependencies']['serve'])")
COPY *.py ./
COPY zerochat zerochat/
RUN useradd --create-home zerochat
USER zerochat
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://localhost:8000/health', timeout=3)"]
ENTRYPOINT ["python3", "serve.py", "--host", "0.0.0.0"]
