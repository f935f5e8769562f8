"""What can be told of an entry that is registered: of which kind it is, whose, and whether its file is still the one."""
