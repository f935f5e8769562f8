"""Proof that the kernel runs foreign programs: real ones are run, in an empty root, and what they do is judged.

``prove.prove`` is the way in; ``proof`` is what it returns.
"""
