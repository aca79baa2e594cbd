"""The documents, held to what the product does."""
