"""What a text asks to be found, and which labels that is."""

import pytest

from models.capability import EngineConfig
from models.embedding.capability import MINILM
from models.embedding.embedder import Embedder
from models.vision.detection.detector import NAMES
from tasks.detection.search import SearchOptions
from tasks.detection.vocabulary import LabelVocabulary, labels_for, phrases_asked_for, singular
from tasks.wording.object_phrases import asks, phrases_in
from tests.conftest import each_case

COCO = LabelVocabulary(NAMES)


@each_case(
    "text",
    [
        "Detect all objects.",
        "detect objects",
        "Find everything in this image",
        "What is in this picture?",
        "Detect what is in front of the bus",
        "Detect all objects in this photo of my dog",
        "Please locate every item and label them",
        "Erkenne alle Objekte im Bild",
        "Détecte tous les objets",
        "Count the objects",
        "Detect objects and draw bounding boxes",
    ],
)
def test_everything_is_asked_for(text: str) -> None:
    assert phrases_asked_for(text, COCO) == []


@each_case(
    ("text", "expected"),
    [
        ("find the cars and the dogs", ["cars", "dogs"]),
        ("How many people are there in this photo?", ["people"]),
        ("Find: cat, dog", ["cat", "dog"]),
        ("Find objects: cars, dogs", ["cars", "dogs"]),
        ("Find the red car and two dogs.", ["red car", "dogs"]),
        ("Where is my umbrella?", ["umbrella"]),
        ("Are there any bikes?", ["bikes"]),
        ("Count the buses, trucks and cars on the road", ["buses", "trucks", "cars"]),
        ("Please detect all the people in the image and return bounding boxes.", ["people"]),
        ("Detect persons and cars, return JSON", ["persons", "cars"]),
        ("Find every person wearing a hat", ["person"]),
        ("Find the bus. Then count people.", ["bus", "people"]),
        ("Detect and segment all persons", ["persons"]),
        ("Draw boxes around every person", ["person"]),
        ("Give me masks for the people", ["people"]),
        ("Find cell phones/laptops & tvs", ["cell phones", "laptops", "tvs"]),
        ("Find any kind of dog", ["dog"]),
        ("Finde alle Autos und Fahrräder im Bild", ["Autos", "Fahrräder"]),
        ("Wie viele Menschen sind auf dem Foto?", ["Menschen"]),
        ("Combien de personnes y a-t-il sur cette photo ?", ["personnes"]),
        ("Encuentra todos los coches y perros en la imagen", ["coches", "perros"]),
        ("¿Cuántas personas hay?", ["personas"]),
        ("Quante persone ci sono?", ["persone"]),
        ("Encontre os carros", ["carros"]),
        ("Hoeveel mensen zijn er?", ["mensen"]),
    ],
)
def test_the_things_that_a_text_asks_for(text: str, expected: list[str]) -> None:
    assert asks(text)
    assert phrases_in(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("person", ["person"]),
        ("cars and dogs", ["cars", "dogs"]),
        ("请找出所有的汽车和行人", ["行人", "汽车"]),
        ("この写真に犬はいますか", ["犬"]),
        ("有几只熊猫？", []),
        ("Describe the dog", []),
        ("Hello", []),
        ("", []),
    ],
)
def test_a_text_without_a_verb_restricts_the_search_only_where_it_is_a_list_of_labels(
    text: str, expected: list[str]
) -> None:
    assert phrases_asked_for(text, COCO) == expected


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
    meant = {
        phrase: await labels_for(phrase, COCO, embedder, loosely=False)
        for phrase in ("sparrow", "smartwatch", "wheelchair", "sign", "brush", "sword", "unicorn", "tree")
    }
    for part in built.parts:
        await part.close()
    assert meant == {
        "sparrow": ("bird",),
        "smartwatch": (),
        "wheelchair": (),
        "sign": (),
        "brush": (),
        "sword": (),
        "unicorn": (),
        "tree": (),
    }


@pytest.mark.parametrize(
    ("phrase", "expected"), [("Unicorns", "unicorn"), ("ponies", "pony"), ("glass", "glass"), ("red hats", "red hat")]
)
def test_open_vocabularies_are_asked_for_one(phrase: str, expected: str) -> None:
    assert singular(phrase) == expected


@each_case(
    ("text", "expected"),
    [
        ("Detect all objects.", SearchOptions()),
        ("Outline the bus", SearchOptions(polygon=True)),
        ("Give me polygons of the cars", SearchOptions(polygon=True)),
        ("Return masks for the people", SearchOptions(mask=True)),
        ("Find people with masks", SearchOptions()),
        ("Find face masks", SearchOptions()),
        ("Segment the people", SearchOptions(polygon=True, mask=True)),
        ("instance segmentation of all cars", SearchOptions(polygon=True, mask=True)),
        ("Segmentiere die Autos", SearchOptions(polygon=True, mask=True)),
        ("Find the small objects too", SearchOptions(small=True)),
        ("Find people, even tiny ones", SearchOptions(small=True)),
        ("Tile the picture and find cars", SearchOptions(small=True)),
        ("Find the small dog", SearchOptions()),
    ],
)
def test_how_objects_are_to_be_reported(text: str, expected: SearchOptions) -> None:
    assert SearchOptions.of(text) == expected
