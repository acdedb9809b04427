import numpy as np

from tasks.extraction.score_steps import ScoreSteps


def test_each_step_has_its_change_whatever_happens_to_the_logits_afterwards() -> None:
    steps, logits = ScoreSteps(), np.array([[1.0, 2.0]], np.float32)
    steps.reached("network", logits)
    logits += 3
    steps.reached("rules", logits)
    logits[:] = 0
    assert [(step, change.tolist()) for step, change in steps.changes] == [
        ("network", [[1.0, 2.0]]),
        ("rules", [[3.0, 3.0]]),
    ]
