"""One module for each group of variables: what they come to in the spec."""
