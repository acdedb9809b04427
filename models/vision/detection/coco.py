"""Labels of COCO, in the two numberings that networks use."""

NAMES = tuple(
    """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
    parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella,
    handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard,
    surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange,
    broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop,
    mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors,
    teddy bear, hair drier, toothbrush""".replace("\n    ", " ").split(", ")
)

_NEVER_USED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
"""Category ids from 1 to 90 that do not occur in the published annotations (instances_val2017.json)."""

SPARSE_NAMES: tuple[str | None, ...] = (
    None,
    *(
        None if number in _NEVER_USED else NAMES[number - 1 - sum(gap < number for gap in _NEVER_USED)]
        for number in range(1, 91)
    ),
)
"""Labels by COCO's category id, which networks with 91 classes use; None if there is no such category."""
