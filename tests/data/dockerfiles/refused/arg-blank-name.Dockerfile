ARG =1
FROM scratch
