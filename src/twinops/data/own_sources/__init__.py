"""Sources declared in `params.yaml`, without a line of Python."""
