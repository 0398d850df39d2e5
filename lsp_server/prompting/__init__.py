"""What goes into a prompt: where it is cut, what is told of other files, what is computed ahead."""
