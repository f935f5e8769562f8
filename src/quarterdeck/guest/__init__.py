"""The guest agent: protocol and typed commands."""
