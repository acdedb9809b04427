"""Where the weights of translation models come from, converted for CTranslate2 beforehand, and which set brings which
languages.

Sizes and SHA-256 are those that other projects pin for these revisions. CTranslate2's int8 conversion writes the same
bytes wherever it is made: the `model.bin` of en-de, en-es, en-fr, en-zh and es-en, converted by different people, have
one checksum each. `config.json` is what its converter writes, with the line ends of the machine that it ran on.
"""

from dataclasses import dataclass
from pathlib import Path

from models.translation.languages import LANGUAGES, base_of, name_of
from models.translation.translator import Pair, shortest_route
from models.weights import WeightFile, WeightSet

MADLAD_FOLDER = "madlad-400"
OPUS_FOLDER = "opus-mt"
_HUB = "https://huggingface.co"
_NAMES = ("config.json", "model.bin", "shared_vocabulary.json", "source.spm", "target.spm")
_CONFIG = 223, "8f6496adfc930cbfecbe8281112197705c488fab47d34b4829b06d7f478909af"
_CONFIG_CRLF = 233, "72901fbd8abd89fb5cf4a388f26fc681f5c4c58a1e1a88b30b879f107270e7ee"
_CONFIG_FLOAT16 = 215, "ce02c0c0d02f285d2ff34c80b0867ccb5c4a3b250a275e6d1d2884f5499a6e46"

_File = tuple[int | None, str]
"""Size in bytes where it is known, and SHA-256."""


@dataclass(frozen=True, slots=True)
class OpusSet:
    """A model of OPUS-MT in a folder of its own."""

    weights: WeightSet
    pairs: tuple[Pair, ...]


MADLAD_400 = WeightSet(
    MADLAD_FOLDER,
    "Apache-2.0",
    tuple(
        WeightFile(
            f"{_HUB}/Nextcloud-AI/madlad400-3b-mt-ct2-int8/resolve/aa32bbdeba7880eff2096ec044cb155a340a9400/{name}",
            sha256,
            f"{MADLAD_FOLDER}/{name}",
            size,
        )
        for name, size, sha256 in (
            ("config.json", 224, "90fb54962455a4e0a0bc7235c0f063d7e46d9c1a1ae003af8059809abd6aeece"),
            ("spiece.model", 4_427_844, "ef11ac9a22c7503492f56d48dce53be20e339b63605983e9f27d2cd0e0f3922c"),
            ("shared_vocabulary.json", 5_477_099, "c327551ce3ca6efc7b437e11a267f79979893332dda8a1d146e2c950815193f8"),
            ("model.bin", 2_950_208_329, "77b9fd9ab97c1259d07089b5f854393dad81bc5fb5647d3f9a5d101c94f40daa"),
        )
    ),
    "from any language into about 420",
)
"""google/madlad400-3b-mt (Apache-2.0), int8."""


def _opus(pair: str, base: str, *files: _File, targets: str = "", about_mb: int | None = None) -> OpusSet:
    """`base` is the address up to the files' names; `targets` are the languages of a model that has several."""
    source, _, target = pair.partition("-")
    tags = (targets or target).split()
    return OpusSet(
        WeightSet(
            f"{OPUS_FOLDER}-{pair}",
            "CC-BY-4.0",
            tuple(
                WeightFile(f"{base}{name}", sha256, f"{OPUS_FOLDER}/{pair}/{name}", size)
                for name, (size, sha256) in zip(_NAMES, files, strict=True)
            ),
            f"{name_of(source)} to {', '.join(dict.fromkeys(name_of(base_of(tag)) for tag in tags))}",
            about_mb,
        ),
        tuple((source, to) for to in tags),
    )


def _on_hub(repository: str, revision: str) -> str:
    return f"{_HUB}/{repository}/resolve/{revision}/"


def _both(
    other: str, revisions: tuple[str, str], models: tuple[_File, _File], words: _File, english: _File, foreign: _File
) -> tuple[OpusSet, OpusSet]:
    """From English and into it: two models with one vocabulary, whose SentencePiece files change places."""
    into, out = f"en-{other}", f"{other}-en"
    return (
        _opus(
            into,
            _on_hub(f"frisket-models/opus-mt-{into}-ct2", revisions[0]),
            *(_CONFIG, models[0], words, english, foreign),
        ),
        _opus(
            out,
            _on_hub(f"frisket-models/opus-mt-{out}-ct2", revisions[1]),
            *(_CONFIG, models[1], words, foreign, english),
        ),
    )


_LOREDUB = "https://github.com/Hecatoncheir/LoreDub/releases/download/translators-ct2-v1"

OPUS_SETS = (
    *_both(
        "de",
        ("670414c0e4c7a87b896f2f5d7e9dbd149ebb748b", "5aa6c0660768e7e8c656814eb5dbe7a1b1f482c5"),
        (
            (75_979_635, "3cad348e65aa400a0fce83b2b89a876030092e108ebc5a824ac1def6c76957b2"),
            (75_979_635, "399ce16d36b721cd166fe973b31c1f1195b92af200665eccd9a7fc62263e02ec"),
        ),
        words=(993_828, "fa4c8d666c582ad39892a2ae5d4ded1b0ddde4b49dc784a7fcbd73940f9fa13e"),
        english=(768_489, "678f2a1177d8389f67b66299762dcc4fc567e89b07e212ba91b0c56daecf47ce"),
        foreign=(796_845, "bbd1f495eea99c8e21ae086d9146e0fa7b096c3dfdd9ba07ab8b631889df5c9b"),
    ),
    *_both(
        "es",
        ("010363dc108c7a1ddf2a57880f1592b0584bce8c", "21fadee65fdf7c7ab92e49a9deeee20b202a9855"),
        (
            (79_567_635, "30c5c2de08329c61860777fbe471e2dd413f64adbde543b2848b5ac3b5d6f865"),
            (79_567_635, "44c5adc2c680f27c14c991e5ab7f74f38b41597153f7123bc8f6455f09a3b38b"),
        ),
        words=(1_276_136, "040e48c9d00734f48506e052695837720bd1f6aa01c70636cde83038362baf19"),
        english=(801_636, "4dd547c24816a335e7b0b2e63376a8f1b3cbfc671eda5ab808dd44fdadaa8791"),
        foreign=(825_924, "e236ee6d866b635c0142114f8647f39831f9d92534aa2aad75c942f6a78ad0e3"),
    ),
    *_both(
        "fr",
        ("01fd244b378d48480d529abc986452f9682aa064", "46c82a1311938f74a08085264763ece40da4f72c"),
        (
            (76_714_395, "236b63e3029611a328693d704067ebdd75b800e5b3011cdec3dad4287fd29a36"),
            (76_714_395, "8c070c110a94dca4693be7c93ecbfdd09bce99eefbf902b1e7b45cbea2a10fd4"),
        ),
        words=(1_052_697, "a157eb51a42817dd1ae4bc46cecf66e591ab32641df936da292bd09f2728631b"),
        english=(778_395, "173e9f493a668fe396d599e28d414a201193094e6ffd7a4678e5aab0f6d3d838"),
        foreign=(802_397, "78d0e717c77053f1c4b856d8661d9cb87c64f083a35418c087b9146300e4f585"),
    ),
    _opus(
        "en-zh",
        _on_hub("jiangzhuo9357/opus-mt-en-zh-ct2", "06fb49e2f6cb0485043ae703a4c2afddd4e700d7"),
        _CONFIG,
        (79_567_635, "327584c20bb83c7e89d595bcfa30b6ef3771c10816f707e892c4bbb1f808a8fb"),
        (1_303_887, "37314a6abb25ed8f8497498aeeb31fcea98de892bf00ff7c2e8c966b26fe0b82"),
        (806_435, "5775ddc9e3ff2fae91554da56468ad35ff56edaba870fea74447bc7234bfdaa8"),
        (804_600, "81dc94efa84e4025ef38d25d5d07429fe41e3eb29d44003f1db6fe98487b0052"),
        targets="zh zh-Hant",
    ),
    _opus(
        "zh-en",
        _on_hub("gaudi/opus-mt-zh-en-ctranslate2", "05d8fc158397bae0c65b8d46c858b6c18e094c12"),
        _CONFIG_FLOAT16,
        (155_502_615, "a188bc45bce24635a1eb0cc42ad0b43afdad806b86af9beb3065bba11f3b212c"),
        (1_303_998, "acbf13516c56af2bb78ebdb770c2e4648fd8232ddd17af75298119cbfa7ee33d"),
        (804_677, "e27a3a1b539f4959ec72ea60e453f49156289f95d4e6000b29332efc45616203"),
        (806_530, "6a881f4717cd7265f53fea54fd3dc689c767c05338fac7a4590f3088cb2d7855"),
    ),
    _opus(
        "ja-en",
        _on_hub("gaudi/opus-mt-ja-en-ctranslate2", "main"),
        _CONFIG_FLOAT16,
        (None, "fcc505f9a24b43caf3514e5bc3fc1581bbe0b17cbf99d4eff136b7b5af4997e1"),
        (1_208_862, "c6e7f9988e5fe15c59ed331ce2d7c3dd551e70add8efc09f839f5a48168da4d6"),
        (781_853, "d0b5c3b10b5959f056ff2c86e2f2356129242ff1fc72d3a4a34d6a8c0eee4e57"),
        (801_883, "35d89c704e270d441fade716a3931d49c43179400682edcca7f180694982a2f6"),
        about_mb=155,
    ),
    # en-uk and en-zle were converted on Windows: their JSON has its line ends.
    _opus(
        "en-uk",
        f"{_LOREDUB}/marian-en-uk-",
        _CONFIG_CRLF,
        (77_792_355, "48294770fc750ac5ef9f998d46c99e30eddda60e8267a23ed7c3420ce7976e00"),
        (2_132_463, "7c3e274a6272691b85fd24075451d3abd4c72052c89bf672e571185ee44e311a"),
        (808_645, "4dc9157e60a15b157c2f3d5f892379b03aed111c9fe8ac7cecba5f2aa56379ef"),
        (1_007_605, "7abd810b2df512e6fe177f8732f6a0b3107614c84cc52aba20d805b4cb0d7b6b"),
    ),
    _opus(
        "en-zle",
        f"{_LOREDUB}/opus-mt-tc-big-en-zle-",
        _CONFIG_CRLF,
        (242_630_403, "fbd24e6fdfa27fb69d4bbce7968eccef693b7a6249ec09733269e96cf2d1a319"),
        (2_152_164, "558fb7414f75540fc3e9f272dac90cb85272083014978e5a8f81c7e35ae2a49b"),
        (802_747, "3612abfe04bf08344ba91115f0e15e228a7a15a621ea856bfd548097dbaeb43c"),
        (1_017_004, "22940e744b3a9fd166a04880938fb61f7dfa8ba4b5d2d3f6371a6c4ba8f3b019"),
        targets="ru uk be",
    ),
)

TRANSLATION_SETS = (MADLAD_400, *(each.weights for each in OPUS_SETS))


def sets_between(source: str, target: str, root: Path) -> list[list[str]]:
    """What to pull to translate between two tags: alternatives, each the names of the sets that are not below `root`,
    the smallest first. [] where no set brings the target."""
    by_pair = {pair: each.weights for each in reversed(OPUS_SETS) for pair in each.pairs}
    hops = shortest_route(by_pair, source, target) or []
    chain = dict.fromkeys(by_pair[hop.source or "", hop.target] for hop in hops)
    found = [[each.name for each in chain if each.missing(root)]]
    if MADLAD_FOLDER in LANGUAGES[base_of(target)].engines:
        found.append([MADLAD_400.name])
    return [names for names in found if names]
