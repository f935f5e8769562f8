"""Real container engines for tests: started by pid on sockets, ports and folders of their own, stopped and cleaned up afterwards.

Nothing is assumed to run already and nothing of the host is changed. ``fixtures`` has them for pytest; the rest are plain context
managers. Where a kernel has binfmt_misc for each user namespace (Linux 6.7), ``namespace`` keeps emulators apart from the host's too.
"""
