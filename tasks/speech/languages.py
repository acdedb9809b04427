"""The languages that speech engines know, by code and by the names that people write."""

# ruff: noqa: E501 - a language a line

_NAMES = {
    "en": "english englisch anglais inglés ingles inglese inglês engels 英语 英文 英語 английск",
    "de": "german deutsch allemand alemán aleman tedesco alemão duits 德语 德文 ドイツ語 немецк",
    "fr": "french französisch franzoesisch français francais francés frances francese francês frans 法语 法文 フランス語 французск",
    "es": "spanish spanisch espagnol español espanol castellano spagnolo espanhol spaans 西班牙语 スペイン語 испанск",
    "it": "italian italienisch italien italiano italiaans 意大利语 イタリア語 итальянск",
    "pt": "portuguese portugiesisch portugais portugués portoghese português portugues portugees 葡萄牙语 португальск",
    "nl": "dutch niederländisch holländisch néerlandais neerlandés olandese holandês nederlands 荷兰语 нидерландск",
    "zh": "chinese mandarin chinesisch chinois chino cinese chinês 中文 汉语 漢語 普通话 中国語 китайск",
    "yue": "cantonese kantonesisch cantonais 粤语 廣東話",
    "ja": "japanese japanisch japonais japonés giapponese japonês 日语 日文 日本語 японск",
    "ko": "korean koreanisch coréen coreano 韩语 韓国語 한국어 корейск",
    "ru": "russian russisch russe ruso russo 俄语 ロシア語 русск",
    "uk": "ukrainian ukrainisch ukrainien ucraniano українськ украинск",
    "ar": "arabic arabisch arabe árabe arabo العربية 阿拉伯语 арабск",
    "hi": "hindi हिन्दी हिंदी",
    "tr": "turkish türkisch turc turco türkçe турецк",
    "pl": "polish polnisch polonais polaco polacco polski польск",
    "cs": "czech tschechisch tchèque checo čeština česky",
    "sk": "slovak slowakisch slovenčina slovensky",
    "sv": "swedish schwedisch suédois sueco svenska",
    "da": "danish dänisch danois danés dansk",
    "no": "norwegian norwegisch norvégien noruego norsk",
    "fi": "finnish finnisch finnois finés suomi suomeksi",
    "hu": "hungarian ungarisch hongrois húngaro magyar magyarul",
    "ro": "romanian rumänisch roumain rumano română",
    "bg": "bulgarian bulgarisch bulgare búlgaro български",
    "el": "greek griechisch grec griego ελληνικά",
    "he": "hebrew hebräisch hébreu hebreo עברית",
    "fa": "persian farsi persisch persan فارسی",
    "id": "indonesian indonesisch indonésien bahasa",
    "ms": "malay malaiisch melayu",
    "vi": "vietnamese vietnamesisch vietnamien vietnamita",
    "th": "thai thailändisch ไทย",
    "ta": "tamil தமிழ்",
    "te": "telugu తెలుగు",
    "bn": "bengali bangla বাংলা",
    "ur": "urdu اردو",
    "ca": "catalan katalanisch català catalán",
    "hr": "croatian kroatisch hrvatski",
    "sr": "serbian serbisch srpski српски",
    "sl": "slovenian slovene slowenisch slovenščina",
    "lt": "lithuanian litauisch lietuvių",
    "lv": "latvian lettisch latviešu",
    "et": "estonian estnisch eesti",
    "sw": "swahili suaheli kiswahili",
    "af": "afrikaans",
    "tl": "tagalog filipino",
    "cy": "welsh walisisch cymraeg",
    "la": "latin latein",
    "am": "amharic",
    "as": "assamese",
    "az": "azerbaijani",
    "ba": "bashkir",
    "be": "belarusian",
    "bo": "tibetan",
    "br": "breton",
    "bs": "bosnian",
    "eu": "basque",
    "fo": "faroese",
    "gl": "galician gallego galego",
    "gu": "gujarati",
    "ha": "hausa",
    "haw": "hawaiian",
    "ht": "haitian",
    "hy": "armenian",
    "is": "icelandic",
    "jw": "javanese",
    "ka": "georgian",
    "kk": "kazakh",
    "km": "khmer",
    "kn": "kannada",
    "lb": "luxembourgish",
    "ln": "lingala",
    "lo": "lao",
    "mg": "malagasy",
    "mi": "maori",
    "mk": "macedonian",
    "ml": "malayalam",
    "mn": "mongolian",
    "mr": "marathi",
    "mt": "maltese",
    "my": "burmese",
    "ne": "nepali",
    "nn": "nynorsk",
    "oc": "occitan",
    "pa": "punjabi",
    "ps": "pashto",
    "sa": "sanskrit",
    "sd": "sindhi",
    "si": "sinhala",
    "sn": "shona",
    "so": "somali",
    "sq": "albanian",
    "su": "sundanese",
    "tg": "tajik",
    "tk": "turkmen",
    "tt": "tatar",
    "uz": "uzbek",
    "yi": "yiddish",
    "yo": "yoruba",
}  # fmt: skip

CODE_OF = {name: code for code, names in _NAMES.items() for name in names.split()}
"""ISO 639-1 (639-3 for Cantonese) by a name in lower case: English ones, a language's own, and its neighbours'. Russian
ones lack the ending."""

CODES = frozenset(_NAMES)


def language_code(name: str) -> str | None:
    """Of a code, with or without a region (`pt-BR`), or a name; None for what is no language here."""
    plain = name.strip().lower()
    code = plain.replace("_", "-").partition("-")[0]
    return code if code in CODES else CODE_OF.get(plain)


def language_name(code: str) -> str:
    """In English; the code itself where its language has no name here."""
    return _NAMES[code].partition(" ")[0].title() if code in _NAMES else code
