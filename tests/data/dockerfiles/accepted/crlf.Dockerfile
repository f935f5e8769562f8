# syntax=docker/dockerfile:1
FROM scratch

RUN echo a \
  && echo b
COPY <<EOF /x
line
EOF
CMD ["a"]
