"""Read-only probes of a host, and the doctor that turns them into advice."""
