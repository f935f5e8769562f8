FROM --platform=$BUILDPLATFORM debian:bookworm AS build
ARG BUILDARCH
ARG TARGETARCH
ARG DEBIAN_FRONTEND=noninteractive
RUN set -eux; \
    # the names of Debian differ from those of OCI
    case "$TARGETARCH" in \
        amd64) triplet=x86_64-linux-gnu ;; \

        arm64) triplet=aarch64-linux-gnu ;; \
        *) echo "unknown $TARGETARCH" >&2; exit 1 ;; \
    esac; \
    dpkg --add-architecture "$TARGETARCH"; \
    apt-get update; \
    apt-get install -y --no-install-recommends "gcc-$(echo $triplet | tr _ -)" "libc6-dev:$TARGETARCH"; \
    rm -rf /var/lib/apt/lists/*
COPY ["hello world.c", "/src/hello world.c"]
RUN ["/bin/sh", "-c", "cc -o /hello '/src/hello world.c'"]

FROM debian:bookworm-slim
COPY --from=0 /hello /usr/local/bin/hello
