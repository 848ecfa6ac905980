# syntax=docker/dockerfile:1

FROM swift:6.2-bookworm AS build
WORKDIR /build
COPY scripts/bootstrap scripts/bootstrap
RUN scripts/bootstrap && rm -rf /var/lib/apt/lists/*
COPY . .
# The cache mount is not part of the image, hence the copy.
RUN --mount=type=cache,target=/build/.build \
    swift build -c release --product driftgate --static-swift-stdlib \
    && install -D -m 755 .build/release/driftgate /out/driftgate

# The same Debian release as above: the binary links to its librdkafka and simdjson.
FROM debian:bookworm-slim
# No versions are pinned: Debian's archive keeps only the newest one of a stable release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libcurl4 librdkafka1 libsimdjson14 libzstd1 tzdata \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 driftgate \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/driftgate \
        --shell /usr/sbin/nologin driftgate \
    && install -d -o 10001 -g 10001 /var/lib/driftgate
COPY --from=build /out/driftgate /usr/local/bin/driftgate
COPY config/driftgate.yaml /etc/driftgate/driftgate.yaml
USER 10001:10001
WORKDIR /var/lib/driftgate
# Proves that every shared library is here and that the configuration shipped is valid.
RUN ["driftgate", "validate", "--config", "/etc/driftgate/driftgate.yaml"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["driftgate"]
CMD ["run", "--config", "/etc/driftgate/driftgate.yaml"]
