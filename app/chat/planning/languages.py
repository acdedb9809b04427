"""Languages that a request may name as a translation's target, in the words of eleven languages.

The names are CLDR's (Unicode-3.0), cut where an inflected form ends differently.
"""

# ruff: noqa: E501 - a language a line

import re

_NAMES = {
    "English": "english|englisch|anglais|inglés|ingles|inglese|inglês|engels|英语|英文|英語|английск|الإنجليزية|الانجليزية",
    "German": "german|deutsch|allemand|alemán|aleman|tedesco|alemão|duits|德语|德文|ドイツ語|немецк|الألمانية",
    "French": "french|französisch|français|francais|francés|frances|francese|francês|frans|法语|法文|フランス語|французск|الفرنسية",
    "Spanish": "spanish|spanisch|espagnol|español|espanol|castellano|spagnolo|espanhol|spaans|西班牙语|西班牙文|スペイン語|испанск|الإسبانية",
    "Italian": "italian|italienisch|italien|italiaans|意大利语|意大利文|義大利文|イタリア語|итальянск|الإيطالية",
    "Portuguese": "portuguese|portugiesisch|portugais|portugués|portoghese|português|portugees|葡萄牙语|葡萄牙文|ポルトガル語|португальск|البرتغالية",
    "Dutch": "dutch|niederländisch|holländisch|néerlandais|neerlandés|olandese|holandês|nederlands|荷兰语|荷蘭文|オランダ語|нидерландск|голландск|الهولندية",
    "Chinese": "chinese|mandarin|chinesisch|chinois|chino|cinese|chinês|chinees|中文|汉语|漢語|中国語|китайск|الصينية",
    "Japanese": "japanese|japanisch|japonais|japonés|giapponese|japonês|japans|日语|日文|日本語|японск|اليابانية",
    "Korean": "korean|koreanisch|coréen|coreano|koreaans|韩语|韩文|韓文|韓国語|корейск|الكورية|한국어",
    "Russian": "russian|russisch|russe|ruso|russo|俄语|俄文|ロシア語|русск|الروسية",
    "Arabic": "arabic|arabisch|arabe|árabe|arabo|阿拉伯语|阿拉伯文|アラビア語|арабск|العربية",
    "Ukrainian": "ukrainian|ukrainisch|ukrainien|ucraniano|ucraino|oekraïens|乌克兰语|烏克蘭文|ウクライナ語|украинск|الأوكرانية|українськ",
    "Polish": "polish|polnisch|polonais|polaco|polacco|polonês|pools|波兰语|波蘭文|ポーランド語|польск|البولندية|polski",
    "Czech": "czech|tschechisch|tchèque|checo|ceco|tcheco|tsjechisch|捷克语|捷克文|チェコ語|чешск|التشيكية|češtin",
    "Slovak": "slovak|slowakisch|slovaque|eslovaco|slovacco|slowaaks|斯洛伐克语|スロバキア語|словацк|السلوفاكية|slovenčin",
    "Hungarian": "hungarian|ungarisch|hongrois|húngaro|ungherese|hongaars|匈牙利语|匈牙利文|ハンガリー語|венгерск|الهنغارية|magyar",
    "Romanian": "romanian|rumänisch|roumain|rumano|rumeno|romeno|roemeens|罗马尼亚语|ルーマニア語|румынск|الرومانية|română",
    "Bulgarian": "bulgarian|bulgarisch|bulgare|búlgaro|bulgaro|bulgaars|保加利亚语|ブルガリア語|болгарск|البلغارية|българск",
    "Greek": "greek|griechisch|grec|griego|greco|grego|grieks|希腊语|希臘文|ギリシャ語|греческ|اليونانية|ελληνικ",
    "Turkish": "turkish|türkisch|turc|turco|turks|土耳其语|土耳其文|トルコ語|турецк|التركية|türkçe",
    "Hebrew": "hebrew|hebräisch|hébreu|hebreo|ebraico|hebraico|hebreeuws|希伯来语|ヘブライ語|иврит|العبرية|עברית",
    "Persian": "persian|farsi|persisch|persan|persa|persiano|perzisch|波斯语|波斯文|ペルシア語|персидск|الفارسية|فارسی",
    "Hindi": "hindi|híndi|印地语|印地文|ヒンディー語|хинди|الهندية|हिन्दी",
    "Bengali": "bengali|bangla|bengalisch|bengalí|bengalese|bengaals|孟加拉语|ベンガル語|бенгальск|البنغالية|বাংলা",
    "Tamil": "tamil|tamoul|泰米尔语|タミル語|тамильск|التاميلية|தமிழ்",
    "Telugu": "telugu|télougou|泰卢固语|テルグ語|телугу|التيلوغوية|తెలుగు",
    "Urdu": "urdu|ourdou|乌尔都语|ウルドゥー語|урду|الأوردية|اردو",
    "Thai": "thai|thailändisch|thaï|tailandés|thailandese|tailandês|泰语|泰文|タイ語|тайск|التايلاندية|ไทย",
    "Vietnamese": "vietnamese|vietnamesisch|vietnamien|vietnamita|vietnamees|越南语|越南文|ベトナム語|вьетнамск|الفيتنامية|tiếng việt",
    "Indonesian": "indonesian|indonesisch|indonésien|indonesio|indonesiano|indonésio|印度尼西亚语|印尼文|インドネシア語|индонезийск|الإندونيسية",
    "Malay": "malay|malaiisch|malais|malayo|malese|malaio|maleis|马来语|マレー語|малайск|الماليزية|melayu",
    "Tagalog": "tagalog|filipino|他加禄语|タガログ語|тагальск|тагалог|التاغالوغية",
    "Swedish": "swedish|schwedisch|suédois|sueco|svedese|zweeds|瑞典语|瑞典文|スウェーデン語|шведск|السويدية|svenska",
    "Danish": "danish|dänisch|danois|danés|danese|dinamarquês|deens|丹麦语|丹麥文|デンマーク語|датск|الدانمركية|dansk",
    "Norwegian": "norwegian|norwegisch|norvégien|noruego|norvegese|norueguês|noors|挪威语|挪威文|ノルウェー語|норвежск|النرويجية|norsk",
    "Finnish": "finnish|finnisch|finnois|finlandés|finés|finlandese|finlandês|芬兰语|芬蘭文|フィンランド語|финск|الفنلندية|suomi|suomeksi",
    "Estonian": "estonian|estnisch|estonien|estonio|estone|estisch|爱沙尼亚语|エストニア語|эстонск|الإستونية|eesti",
    "Latvian": "latvian|lettisch|letton|letón|lettone|letão|拉脱维亚语|ラトビア語|латышск|اللاتفية|latvieš",
    "Lithuanian": "lithuanian|litauisch|lituanien|lituano|litouws|立陶宛语|リトアニア語|литовск|الليتوانية|lietuvi",
    "Slovenian": "slovenian|slovene|slowenisch|slovène|esloveno|sloveno|sloveens|斯洛文尼亚语|スロベニア語|словенск|slovenščin",
    "Croatian": "croatian|kroatisch|croate|croata|kroatisch|克罗地亚语|クロアチア語|хорватск|الكرواتية|hrvatski",
    "Serbian": "serbian|serbisch|serbe|serbio|serbo|sérvio|servisch|塞尔维亚语|セルビア語|сербск|الصربية|српск|srpski",
    "Catalan": "catalan|katalanisch|catalán|catalano|catalão|catalaans|加泰罗尼亚语|カタロニア語|каталанск|الكتالانية|català",
    "Basque": "basque|baskisch|euskera|basco|巴斯克语|バスク語|баскск|euskara",
    "Galician": "galician|galicisch|galicien|gallego|galiziano|galego|加利西亚语|ガリシア語|галисийск",
    "Irish": "irish|irisch|irlandais|irlandés|irlandese|irlandês|iers|爱尔兰语|アイルランド語|ирландск|gaeilge",
    "Welsh": "welsh|walisisch|gallois|galés|gallese|galês|威尔士语|ウェールズ語|валлийск|cymraeg",
    "Icelandic": "icelandic|isländisch|islandais|islandés|islandese|islandês|ijslands|冰岛语|アイスランド語|исландск|íslensk",
    "Swahili": "swahili|suaheli|suajili|suaíli|斯瓦希里语|スワヒリ語|суахили|السواحلية",
    "Afrikaans": "afrikaans|africâner|南非荷兰语|アフリカーンス語|африкаанс",
    "Latin": "latin|latein|latín|latino|latim|latijn|拉丁语|拉丁文|ラテン語|латинск|латынь|اللاتينية",
}

_CODES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "ru": "Russian", "ar": "Arabic",
    "uk": "Ukrainian", "pl": "Polish", "cs": "Czech", "sk": "Slovak", "hu": "Hungarian", "ro": "Romanian",
    "bg": "Bulgarian", "el": "Greek", "tr": "Turkish", "he": "Hebrew", "fa": "Persian", "hi": "Hindi",
    "bn": "Bengali", "ta": "Tamil", "te": "Telugu", "ur": "Urdu", "th": "Thai", "vi": "Vietnamese",
    "id": "Indonesian", "ms": "Malay", "tl": "Tagalog", "sv": "Swedish", "da": "Danish", "no": "Norwegian",
    "fi": "Finnish", "et": "Estonian", "lv": "Latvian", "lt": "Lithuanian", "sl": "Slovenian", "hr": "Croatian",
    "sr": "Serbian", "ca": "Catalan", "eu": "Basque", "gl": "Galician", "ga": "Irish", "cy": "Welsh",
    "is": "Icelandic", "sw": "Swahili", "af": "Afrikaans", "la": "Latin",
}  # fmt: skip
"""ISO 639-1."""

_LANGUAGE_OF = {name: language for language, names in _NAMES.items() for name in names.split("|")} | {
    "italiano": "Italian"
}
_NAME = "|".join(sorted(map(re.escape, _LANGUAGE_OF), key=len, reverse=True))
# Before a name: the prepositions of direction and their articles. After it: "translation", に and へ.
_BEFORE = (
    r"\b(?:into|to|in|as|ins|auf|nach|zu|en|vers|al|a|all'|para|pro|ao|em|naar|на|в|до|по-)\s*"
    r"(?:(?:the|das|l'|le|la|el|o|het|brazilian|british|american|simplified|traditional)\s*)?"
)
_TARGET = re.compile(
    rf"{_BEFORE}(?P<into>{_NAME})"
    rf"|(?:[成为為到至]|إلى|الى|ل|بال)\s*(?:اللغة\s+)?(?P<adjacent>{_NAME})"
    rf"|(?P<with>{_NAME})(?:\w{{0,2}}\s+(?:translation|version|übersetzung|fassung)|\s*(?:に|へ|翻译|翻譯))",
    re.IGNORECASE,
)
_ALSO_WORDS = "el|he|hi|id|is|it|la|no"
"""Codes that are words, which mean a language only before a colon or with a region: `to it: hello`, `to it-IT`."""
_CODE = re.compile(
    rf"(?:\b(?:into|to|nach|vers|al|a|para|naar|на)\s+|[成为為到至]\s*)"
    rf"(?!(?:{_ALSO_WORDS})\b(?!\s*[:：]|[-_]))"
    rf"(?P<code>{'|'.join(_CODES)})(?:[-_][a-z]{{2,4}})?(?=\s*(?:[:：.,!?)\n]|$))",
    re.IGNORECASE,
)


def target_language(text: str) -> str | None:
    """The English name of the language that `text` wants something in, by its name in any of eleven languages."""
    lower = text.lower()
    # The pattern tries hundreds of names at each letter; most texts hold none of them.
    if any(name in lower for name in _LANGUAGE_OF) and (found := _TARGET.search(text)):
        return _LANGUAGE_OF[next(name for name in found.groups() if name).lower()]
    return None


def target_by_code(text: str) -> str | None:
    """The same by an ISO 639-1 code at the end of a clause (`to zh`), in a text that is known to ask for a
    translation: many codes are words."""
    found = _CODE.search(text)
    return _CODES[found["code"].lower()] if found else None
