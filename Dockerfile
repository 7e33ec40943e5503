# The base must have Python 3.11, 3.12 or 3.13 with pip, and be for 64 bits: there are no packages for 32.
ARG BASE=python:3.13-slim-bookworm

# hadolint ignore=DL3006
FROM ${BASE} AS build
COPY requirements.lock /build/
RUN python3 -m venv --without-pip /opt/quotidian \
    && python3 -m pip --python /opt/quotidian/bin/python install --no-cache-dir --disable-pip-version-check \
        --no-compile --require-hashes --requirement /build/requirements.lock \
    && find /opt/quotidian -type d \( -name tests -o -path '*/pyarrow/include' \) -prune -exec rm -r {} + \
    # What Arrow can do beyond files on this machine (its servers, S3) is a third of it.
    && find /opt/quotidian \( -name 'libarrow_flight*' -o -name 'libarrow_s3*' \) -delete
COPY src/quotidian /build/quotidian
# Our own code needs no building: it is copied beside the libraries, and the command is its entry point.
RUN set -eu; \
    cp -r /build/quotidian "$(/opt/quotidian/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/"; \
    printf '#!/opt/quotidian/bin/python\nfrom quotidian.operate.cli import main\nmain()\n' >/opt/quotidian/bin/quotidian; \
    chmod 755 /opt/quotidian/bin/quotidian; \
    /opt/quotidian/bin/python -m compileall -q /opt/quotidian; \
    install -d -m 700 /build/places/data /build/places/spool /build/places/access

# hadolint ignore=DL3006
FROM ${BASE}
LABEL org.opencontainers.image.title="Quotidian" \
    org.opencontainers.image.description="Learns what a home does every day, from Home Assistant" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/quotidian /opt/quotidian
# A new volume takes its owner and mode from the directory that it is mounted on.
COPY --from=build --chown=10001:10001 /build/places/ /
ENV PATH=/opt/quotidian/bin:$PATH \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    QUOTIDIAN_DATA=/data \
    QUOTIDIAN_HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8003
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-m", "quotidian.operate.alive", "admin"]
ENTRYPOINT ["quotidian"]
CMD ["up"]
