FROM scratch
CMD a