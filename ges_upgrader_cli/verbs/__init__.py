"""What an operator can ask for: a module a verb, or a family of them. `app.py` names them."""
