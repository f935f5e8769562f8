FROM scratch
RUN -- --not-a-flag
COPY --chown=1 -- a b
