FROM scratch
CMD a \
