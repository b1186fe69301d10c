"""The stages of `dvc.yaml`, one verb each."""
