"""The web server: login, guards, routes and start-up checks."""
