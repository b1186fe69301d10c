"""Files of a project's own: begin one, list them, and greet each with the checks of its shelf."""
