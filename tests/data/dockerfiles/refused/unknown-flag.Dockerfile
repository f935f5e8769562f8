FROM scratch
COPY --form=0 a b
