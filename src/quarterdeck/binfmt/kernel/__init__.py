"""The kernel's side: what binfmt_misc is here, how it is mounted, and how its registry is changed."""
