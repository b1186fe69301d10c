"""Descriptions of models that must not be loaded, and a proper one of LightGBM."""

from __future__ import annotations

MLMODEL = """flavors:
  python_function:
    code: null
    data: data/twin.json
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: twinops.adapters.mlflow.twin_flavour
    python_version: 3.11.7
    streamable: false
mlflow_version: 3.17.2
"""
SKLEARN = """flavors:
  python_function: {{loader_module: mlflow.sklearn, data: {data}}}
  sklearn: {{pickled_model: {data}{more}}}
"""
LIGHTGBM = """flavors:
  lightgbm: {data: model.lgb, lgb_version: 4.7.0, model_class: lightgbm.basic.Booster, code: null}
  python_function: {data: model.lgb, loader_module: mlflow.lightgbm, python_version: 3.11.7, code: null}
"""
HOSTILE = {
    "a loader of its own": MLMODEL.replace("twinops.adapters.mlflow.twin_flavour", "evil"),
    "pickled scikit-learn": SKLEARN.format(data="model.pkl", more=""),
    "skops with its own list of trusted types": SKLEARN.format(
        data="model.skops", more=", serialization_format: skops, skops_trusted_types: [posix.system]"
    ),
    "a model made of code": MLMODEL.replace("streamable: false", "model_code_path: evil.py"),
    "a pickled python model": MLMODEL.replace("streamable: false", "python_model: python_model.pkl"),
    "code beside it": MLMODEL.replace("code: null", "code: code"),
    "data outside": MLMODEL.replace("data/twin.json", "../../evil.json"),
    "absolute data": MLMODEL.replace("data/twin.json", "/etc/passwd"),
    "python in the description": MLMODEL + "x: !!python/object/apply:os.system ['touch ran']\n",
    "no description": "",
    "a bomb of aliases": "a: &a [x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)),
}
