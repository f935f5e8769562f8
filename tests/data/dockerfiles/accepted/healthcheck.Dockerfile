FROM scratch
HEALTHCHECK NONE
HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=0s --start-interval=5s --retries=0 CMD ["check", "it"]
healthcheck cmd check it
