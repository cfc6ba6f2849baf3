"""The command `doctor`: what the function can prove, from inside, of what it needs."""
