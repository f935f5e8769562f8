FROM scratch AS base
ENV OLD the rest of the line, "quotes" and = too
ENV A=1 B="two words" C=three\ words D='$not' E="$A-${B:-x}" F=
ENV PATH=/opt/bin:$PATH
ENV EMPTY="" QUOTED=a"b c"d
LABEL org.opencontainers.image.title="The title" \
      org.opencontainers.image.authors="A <a@example.org>, B <b@example.org>" \
      "quoted.key"="value" multi="a \
line"
LABEL old style
ARG ONE TWO=2 THREE="3 3"
ARG FOUR=${TWO:+x}
