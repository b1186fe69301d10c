"""DVC: the lock file, stages side by side, and what a kill leaves behind."""
