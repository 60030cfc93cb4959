"""How the tables came to be as they are, step by step (Alembic); a step that was released is never changed."""
