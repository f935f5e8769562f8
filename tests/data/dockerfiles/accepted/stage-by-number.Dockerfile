FROM alpine
FROM scratch
COPY --from=0 /a /b
COPY --from=alpine:3 /a /c
FROM 1
