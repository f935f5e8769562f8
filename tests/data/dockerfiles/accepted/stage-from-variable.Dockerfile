ARG VARIANT=prod
FROM scratch AS build-dev
ENV X=dev
FROM scratch AS build-prod
ENV X=prod
FROM build-${VARIANT} AS final
FROM final-$TARGETARCH AS never
FROM scratch AS final-amd64
