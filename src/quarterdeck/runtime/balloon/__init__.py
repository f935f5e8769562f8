"""The guest's memory follows what the host can spare: a controller, what it looks at, and the task that carries it out."""
