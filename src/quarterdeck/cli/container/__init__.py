"""What runs inside the image quarterdeck/machine: one machine, made from the container's variables."""
