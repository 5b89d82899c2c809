"""The suite: asks a server what the spec says, and tells what came back."""
