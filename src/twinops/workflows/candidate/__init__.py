"""From a finished pipeline to a judged, registered candidate."""
