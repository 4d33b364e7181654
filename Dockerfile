# The service as an image. The command is `lattice`: any of its subcommands may follow `docker run IMAGE`.

FROM python:3.13-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/lattice
WORKDIR /src
COPY requirements.txt requirements-dev.txt ./
RUN /opt/lattice/bin/pip install --require-hashes --requirement requirements.txt
COPY . .
# What the dashboard is drawn with: npm's lock pins and hashes it, and requirements-node.txt the npm.
RUN python -m scripts.fetch_assets
# The development lock pins and hashes the build backend, so that nothing unlocked enters the image.
RUN /opt/lattice/bin/pip install --no-deps --build-constraint requirements-dev.txt .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Crystal Lattice" \
      org.opencontainers.image.description="A memory and reflection service on Postgres and pgvector" \
      org.opencontainers.image.licenses="Apache-2.0"
# The embedded Postgres asks for a user with a name, and keeps its data in the user's data folder.
RUN groupadd --gid 10001 lattice \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/lattice --create-home --shell /usr/sbin/nologin lattice
COPY --from=builder /opt/lattice /opt/lattice
ENV PATH=/opt/lattice/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_DATA_HOME=/var/lib/lattice
USER 10001:10001
WORKDIR /var/lib/lattice
VOLUME /var/lib/lattice
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/api/v1/health', timeout=4)"]
ENTRYPOINT ["lattice"]
CMD ["serve", "--host", "0.0.0.0"]
