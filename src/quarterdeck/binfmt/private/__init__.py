"""A binfmt_misc of one's own: in a user namespace, without root and without changing the host.

Since Linux 6.7 each user namespace may mount an instance of binfmt_misc. Programs in the namespace are run by what that instance has
registered and by nothing else; it is gone with the last process inside. ``instance.open_instance`` makes one.
"""
