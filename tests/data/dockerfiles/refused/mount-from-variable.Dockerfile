FROM scratch
ARG S
RUN --mount=from=$S,target=/x true
