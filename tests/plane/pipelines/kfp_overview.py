"""The usual overview of kfp: load, train, evaluate, which hand on paths and a number."""

import sys

from kfp import compiler, dsl


@dsl.component
def load_data(dataset_name: str) -> str:
    import os
    import tempfile

    import numpy as np
    from sklearn.datasets import load_iris

    data = {"iris": load_iris}[dataset_name]()
    path = os.path.join(tempfile.mkdtemp(), "data.npz")
    np.savez(path, x=data.data, y=data.target)
    return path


@dsl.component
def train(data_path: str, epochs: int, learning_rate: float) -> str:
    import os
    import tempfile

    import joblib
    import numpy as np
    from sklearn.linear_model import SGDClassifier

    data = np.load(data_path)
    model = SGDClassifier(
        max_iter=epochs, eta0=learning_rate, learning_rate="constant", random_state=0, tol=None
    )
    model.fit(data["x"], data["y"])
    path = os.path.join(tempfile.gettempdir(), "model.joblib")
    joblib.dump(model, path)
    return path


@dsl.component
def evaluate(model_path: str, test_data: str) -> float:
    import joblib
    import numpy as np

    data = np.load(test_data)
    return float(joblib.load(model_path).score(data["x"], data["y"]))


@dsl.pipeline(name="overview")
def overview(dataset_name: str = "iris", epochs: int = 50, learning_rate: float = 0.01) -> float:
    data = load_data(dataset_name=dataset_name)
    model = train(data_path=data.output, epochs=epochs, learning_rate=learning_rate)
    return evaluate(model_path=model.output, test_data=data.output).output


compiler.Compiler().compile(overview, sys.argv[1])
