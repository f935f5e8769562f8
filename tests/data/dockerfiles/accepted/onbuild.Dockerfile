FROM scratch
ONBUILD COPY . /app
ONBUILD RUN --mount=type=cache,target=/x make \
  install
onbuild ENV A=1
ONBUILD SOMETHING new
