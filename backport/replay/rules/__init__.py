"""The rules that resolve what a three-way merge cannot, each a module of one function `(Situation) -> Resolution | None`."""
