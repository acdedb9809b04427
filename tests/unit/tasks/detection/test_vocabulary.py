"""What a text asks to be found, and which labels that is."""

import pytest

from models.capability import EngineConfig
from models.embedding.capability import MINILM
from models.embedding.embedder import Embedder
from models.vision.detection.detector import NAMES
from tasks.detection.search import DetectionOptions, parse_detection, wanted_phrases
from tasks.detection.vocabulary import LabelVocabulary, labels_for, singular
from tasks.wording.object_phrases import asks, phrases_in
from tests.conftest import each_case

COCO = LabelVocabulary(NAMES)


@each_case(
    "text",
    [
        "Detect all objects.",
        "Detect what is in front of the bus",
        "Detect all objects in this photo of my dog",
        "Detect objects and draw bounding boxes",
    ],
)
def test_everything_is_asked_for(text: str) -> None:
    assert wanted_phrases(parse_detection(text), COCO) == []


@each_case(
    ("text", "expected"),
    [
        ("find the cars and the dogs", ["cars", "dogs"]),
        ("How many people are there in this photo?", ["people"]),
        ("¿Cuántas personas hay en la foto?", ["personas"]),
        ("Quante persone ci sono in questa foto?", ["persone"]),
        ("Hoeveel mensen zie je op de foto?", ["mensen"]),
        ("Find the red car and two dogs.", ["red car", "dogs"]),
        ("Count the buses, trucks and cars on the road", ["buses", "trucks", "cars"]),
        ("Detect persons and cars, return JSON", ["persons", "cars"]),
        ("Find the bus. Then count people.", ["bus", "people"]),
        ("Finde alle Autos und Fahrräder im Bild", ["Autos", "Fahrräder"]),
        ("Wie viele Menschen sind auf dem Foto?", ["Menschen"]),
    ],
)
def test_the_things_that_a_text_asks_for(text: str, expected: list[str]) -> None:
    assert asks(text)
    assert phrases_in(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("person", ["person"]),
        ("请找出所有的汽车和行人", ["行人", "汽车"]),
        ("", []),
    ],
)
def test_a_text_without_a_verb_restricts_the_search_only_where_it_is_a_list_of_labels(
    text: str, expected: list[str]
) -> None:
    assert wanted_phrases(parse_detection(text), COCO) == expected


@each_case(
    ("phrase", "label"),
    [
        ("person", "person"), ("Persons", "person"), ("people", "person"), ("Women", "person"), ("child", "person"),
        ("bike", "bicycle"), ("motorbikes", "motorcycle"), ("sofa", "couch"), ("TV", "tv"), ("TVs", "tv"),
        ("mobile", "cell phone"), ("cell-phones", "cell phone"), ("buses", "bus"), ("knives", "knife"),
        ("wine glasses", "wine glass"), ("mice", "mouse"), ("puppies", "dog"), ("skis", "skis"), ("sheep", "sheep"),
        ("Autos", "car"), ("Fahrräder", "bicycle"), ("Hunde", "dog"), ("voitures", "car"), ("chats", "cat"),
        ("coches", "car"), ("biciclette", "bicycle"), ("fietsen", "bicycle"), ("汽车", "car"), ("自転車", "bicycle"),
    ],
)  # fmt: skip
def test_labels_go_by_many_names(phrase: str, label: str) -> None:
    assert COCO.named(phrase) == (label,)


@pytest.mark.parametrize(
    ("phrase", "label"),
    [("red car", "car"), ("tall old bus", "bus"), ("cup of tea", "cup"), ("group of people", "person"),
     ("fire truck", "truck")],
)  # fmt: skip
def test_a_description_is_of_a_kind(phrase: str, label: str) -> None:
    assert COCO.named(phrase) == ()
    assert COCO.kind_of(phrase) == (label,)


async def test_near_names_are_found_by_their_meaning_and_far_ones_are_not() -> None:
    built = MINILM.build(EngineConfig())
    embedder: Embedder = built.service
    phrases = ("sparrow", "smartwatch", "wheelchair", "brush", "unicorn", "tree")
    meant = [await labels_for(phrase, COCO, embedder, loosely=False) for phrase in phrases]
    for part in built.parts:
        await part.close()
    assert meant == [("bird",), (), (), (), (), ()]


@pytest.mark.parametrize(
    ("phrase", "expected"), [("Unicorns", "unicorn"), ("ponies", "pony"), ("glass", "glass"), ("red hats", "red hat")]
)
def test_open_vocabularies_are_asked_for_one(phrase: str, expected: str) -> None:
    assert singular(phrase) == expected


@each_case(
    ("text", "expected"),
    [
        ("Detect all objects.", DetectionOptions()),
        ("Outline the bus", DetectionOptions(polygon=True)),
        ("Return masks for the people", DetectionOptions(mask=True)),
        ("Find people with masks", DetectionOptions()),
        ("Segment the people", DetectionOptions(polygon=True, mask=True)),
        ("Find the small objects too", DetectionOptions(small=True)),
        ("Find the small dog", DetectionOptions()),
    ],
)
def test_how_objects_are_to_be_reported(text: str, expected: DetectionOptions) -> None:
    found = parse_detection(text)
    assert (found.polygon, found.mask, found.small) == (expected.polygon, expected.mask, expected.small)
