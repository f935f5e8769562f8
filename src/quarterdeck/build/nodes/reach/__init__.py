"""What engines need to build on a node: options for their clients, and sockets that lead there while a build runs."""
