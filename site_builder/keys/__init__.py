"""When is a stored result still the result? Which code a function reaches, and the keys made from it."""
