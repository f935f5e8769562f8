FROM scratch
MAINTAINER Someone <someone@example.org>
