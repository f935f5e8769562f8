ARG A
ARG B=1 C=2


# comment

FROM scratch
