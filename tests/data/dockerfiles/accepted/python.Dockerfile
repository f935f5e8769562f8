FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1

FROM base AS wheels
COPY requirements.txt .
RUN pip wheel -r requirements.txt -w /wheels

FROM base
RUN --mount=from=wheels,source=/wheels,target=/wheels pip install --no-index /wheels/*.whl
COPY . /app
RUN useradd -m app
USER app
CMD ["python", "-m", "app"]
