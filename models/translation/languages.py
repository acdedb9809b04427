"""Languages by their names and codes.

The names are CLDR's (Unicode-3.0), cut where an inflected form ends differently. A language is a tag: its ISO 639-1
code (639-3 where it has none), perhaps with a region or script (`pt-BR`, `zh-Hant`).
"""

# ruff: noqa: E501 - a language a line

NAMES = {
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
    "Azerbaijani": "azerbaijani|azeri|aserbaidschanisch|azerbaïdjanais|azerbaiyano|азербайджанск|azərbaycan",
    "Belarusian": "belarusian|belarussisch|weißrussisch|biélorusse|bielorruso|bielorusso|белорусск|беларуск",
    "Bosnian": "bosnian|bosnisch|bosniaque|bosnio|bosniaco|боснийск|bosanski",
    "Macedonian": "macedonian|mazedonisch|macédonien|macedonio|macedone|македонск",
    "Albanian": "albanian|albanisch|albanais|albanés|albanese|албанск|shqip",
    "Armenian": "armenian|armenisch|arménien|armenio|armeno|армянск|հայերեն",
    "Georgian": "georgian|georgisch|géorgien|georgiano|грузинск|ქართული",
    "Kazakh": "kazakh|kasachisch|kazajo|казахск|қазақ",
    "Uzbek": "uzbek|usbekisch|ouzbek|uzbeko|узбекск|oʻzbek",
    "Mongolian": "mongolian|mongolisch|mongol|монгольск|монгол",
    "Gujarati": "gujarati|ગુજરાતી",
    "Marathi": "marathi|मराठी",
    "Punjabi": "punjabi|panjabi|ਪੰਜਾਬੀ",
    "Malayalam": "malayalam|മലയാളം",
    "Kannada": "kannada|ಕನ್ನಡ",
    "Sinhala": "sinhala|sinhalese|singhalesisch|සිංහල",
    "Nepali": "nepali|nepalesisch|népalais|नेपाली",
    "Burmese": "burmese|birmanisch|birman|birmano|မြန်မာ",
    "Khmer": "khmer|ខ្មែរ",
    "Amharic": "amharic|amharisch|amharique|amárico|አማርኛ",
    "Somali": "somali|soomaali",
    "Hausa": "hausa",
    "Yoruba": "yoruba|yorùbá",
    "Igbo": "igbo",
    "Zulu": "zulu|isizulu",
    "Xhosa": "xhosa|isixhosa",
    "Maltese": "maltese|maltesisch|maltais|maltés|мальтийск|malti",
    "Luxembourgish": "luxembourgish|luxemburgisch|luxembourgeois|lëtzebuergesch",
    "Esperanto": "esperanto|espéranto|эсперанто",
    "Occitan": "occitan|okzitanisch|occitano",
    "Asturian": "asturian|asturianu|asturiano",
    "Breton": "breton|bretonisch|brezhoneg",
    "Scottish Gaelic": "scottish gaelic|gàidhlig",
    "Yiddish": "yiddish|jiddisch|ייִדיש",
    "Kurdish": "kurdish|kurdisch|kurde|kurdo|курдск|kurdî",
    "Pashto": "pashto|paschtu|پښتو",
    "Tajik": "tajik|tadschikisch|таджикск|тоҷик",
    "Kyrgyz": "kyrgyz|kirgisisch|киргизск|кыргыз",
    "Tatar": "tatar|tatarisch|татарск",
    "Haitian Creole": "haitian creole|haitian|kreyòl",
    "Javanese": "javanese|javanisch|basa jawa",
    "Cantonese": "cantonese|kantonesisch|cantonais|cantonés|粤语|粵語|廣東話|広東語",
}

CODES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "ru": "Russian", "ar": "Arabic",
    "uk": "Ukrainian", "pl": "Polish", "cs": "Czech", "sk": "Slovak", "hu": "Hungarian", "ro": "Romanian",
    "bg": "Bulgarian", "el": "Greek", "tr": "Turkish", "he": "Hebrew", "fa": "Persian", "hi": "Hindi",
    "bn": "Bengali", "ta": "Tamil", "te": "Telugu", "ur": "Urdu", "th": "Thai", "vi": "Vietnamese",
    "id": "Indonesian", "ms": "Malay", "tl": "Tagalog", "sv": "Swedish", "da": "Danish", "no": "Norwegian",
    "fi": "Finnish", "et": "Estonian", "lv": "Latvian", "lt": "Lithuanian", "sl": "Slovenian", "hr": "Croatian",
    "sr": "Serbian", "ca": "Catalan", "eu": "Basque", "gl": "Galician", "ga": "Irish", "cy": "Welsh",
    "is": "Icelandic", "sw": "Swahili", "af": "Afrikaans", "la": "Latin",
    "az": "Azerbaijani", "be": "Belarusian", "bs": "Bosnian", "mk": "Macedonian", "sq": "Albanian", "hy": "Armenian",
    "ka": "Georgian", "kk": "Kazakh", "uz": "Uzbek", "mn": "Mongolian", "gu": "Gujarati", "mr": "Marathi",
    "pa": "Punjabi", "ml": "Malayalam", "kn": "Kannada", "si": "Sinhala", "ne": "Nepali", "my": "Burmese",
    "km": "Khmer", "am": "Amharic", "so": "Somali", "ha": "Hausa", "yo": "Yoruba", "ig": "Igbo", "zu": "Zulu",
    "xh": "Xhosa", "mt": "Maltese", "lb": "Luxembourgish", "eo": "Esperanto", "oc": "Occitan", "ast": "Asturian",
    "br": "Breton", "gd": "Scottish Gaelic", "yi": "Yiddish", "ku": "Kurdish", "ps": "Pashto", "tg": "Tajik",
    "ky": "Kyrgyz", "tt": "Tatar", "ht": "Haitian Creole", "jv": "Javanese", "yue": "Cantonese",
}  # fmt: skip
"""ISO 639-1, and 639-3 where there is none."""

SYNONYMS = {
    "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it", "por": "pt",
    "nld": "nl", "dut": "nl", "zho": "zh", "chi": "zh", "cmn": "zh", "jpn": "ja", "kor": "ko", "rus": "ru",
    "ara": "ar", "arb": "ar", "ukr": "uk", "pol": "pl", "ces": "cs", "cze": "cs", "slk": "sk", "slo": "sk",
    "hun": "hu", "ron": "ro", "rum": "ro", "bul": "bg", "ell": "el", "gre": "el", "tur": "tr", "heb": "he",
    "fas": "fa", "per": "fa", "pes": "fa", "hin": "hi", "ben": "bn", "tam": "ta", "tel": "te", "urd": "ur",
    "tha": "th", "vie": "vi", "ind": "id", "msa": "ms", "may": "ms", "tgl": "tl", "fil": "tl", "swe": "sv",
    "dan": "da", "nor": "no", "nob": "no", "nb": "no", "fin": "fi", "est": "et", "lav": "lv", "lit": "lt",
    "slv": "sl", "hrv": "hr", "srp": "sr", "cat": "ca", "eus": "eu", "baq": "eu", "glg": "gl", "gle": "ga",
    "cym": "cy", "wel": "cy", "isl": "is", "ice": "is", "swa": "sw", "afr": "af", "lat": "la", "aze": "az",
    "bel": "be", "bos": "bs", "mkd": "mk", "mac": "mk", "sqi": "sq", "alb": "sq", "hye": "hy", "arm": "hy",
    "kat": "ka", "geo": "ka", "kaz": "kk", "uzb": "uz", "mon": "mn", "khk": "mn", "guj": "gu", "mar": "mr",
    "pan": "pa", "mal": "ml", "kan": "kn", "sin": "si", "nep": "ne", "mya": "my", "bur": "my", "khm": "km",
    "amh": "am", "som": "so", "hau": "ha", "yor": "yo", "ibo": "ig", "zul": "zu", "xho": "xh", "mlt": "mt",
    "ltz": "lb", "epo": "eo", "oci": "oc", "bre": "br", "gla": "gd", "yid": "yi", "kur": "ku", "kmr": "ku",
    "pus": "ps", "tgk": "tg", "kir": "ky", "tat": "tt", "hat": "ht", "jav": "jv",
}  # fmt: skip
"""Other codes: ISO 639-3 and 639-2/B."""

LANGUAGE_OF = {name: language for language, names in NAMES.items() for name in names.split("|")} | {
    "italiano": "Italian"
}
"""The English name by any name in lower case."""

_CODE_OF = {language: code for code, language in CODES.items()}
_IN_FULL = {"BR": "Brazilian", "Hant": "Traditional", "Hans": "Simplified", "TW": "Traditional", "HK": "Traditional"}


def tag_of_code(code: str) -> str | None:
    """`fra` → `fr`, `pt_br` → `pt-BR`, `ZH-hant` → `zh-Hant`; None for what is no language here."""
    base, _, variant = code.replace("_", "-").partition("-")
    base = SYNONYMS.get(base.lower(), base.lower())
    if base not in CODES:
        return None
    if not variant:
        return base
    return f"{base}-{variant.upper() if len(variant) < 4 else variant.title()}"


def tag_of_name(name: str) -> str | None:
    """Of a name as in `NAMES`, in any case."""
    language = LANGUAGE_OF.get(name.lower())
    return _CODE_OF[language] if language else None


def base_of(tag: str) -> str:
    """Without region or script."""
    return tag.partition("-")[0]


def name_of(tag: str) -> str:
    """In English: `Brazilian Portuguese (pt-BR)`, `French`."""
    base, _, variant = tag.partition("-")
    name = CODES[base]
    return f"{_IN_FULL.get(variant, '')} {name} ({tag})".strip() if variant else name
