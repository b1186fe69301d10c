"""Door 2: stock MLflow whose registry asks `decide` and a named officer before a protected alias moves."""

from importlib import import_module

# MLflow imports our artifact store with itself. Begun by one of our own modules, that would find this one half made;
# so MLflow is always there first, whichever module of the server is asked for.
import_module("mlflow")
