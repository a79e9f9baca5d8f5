"""What every step needs to know: the project, its options, the machine, and how to speak to the user."""
