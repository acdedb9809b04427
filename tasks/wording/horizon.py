"""How far a forecast is to reach, by the words of a request.

In English, German, French, Spanish, Italian, Portuguese, Dutch, Chinese, Japanese, Russian and Arabic, in this order.
"""

import datetime as dt
import re
from dataclasses import dataclass

from tasks.series.dates import MONTHS
from tasks.series.periods import DAILY, DAY, HOUR, MINUTE, MONTHLY, QUARTERLY, WEEKDAYS, WEEKLY, YEARLY, Period


@dataclass(frozen=True, slots=True)
class Horizon:
    count: int = 1
    period: Period | None = None
    """What is counted; None: the steps of the series itself."""
    until: dt.datetime | None = None
    """Instead of both: everything before this moment."""
    firm: bool = True
    """False where the words may mean a time that the series is of: `for 2024`."""


_UNITS: tuple[tuple[Period, str], ...] = (
    (
        WEEKDAYS,
        r"(?:business|trading|working|week)[ -]?days?|werktagen?|börsentagen?|jours? ouvr(?:és?|ables?)|días? hábiles",
    ),
    (Period("second"), r"seconds?|secs?|sekunden?|secondes?|segundos?|secondi|seconden|秒|секунд\w*|ثانية|ثوان"),
    (
        Period("second", MINUTE),
        r"minutes?|mins?|minuten?|minutos?|minut[oi]|分钟|分間?|минут\w*|دقيقة|دقائق",
    ),
    (
        Period("second", HOUR),
        r"hours?|hrs?|h|stunden?|heures?|horas?|or[ae]|uren|uur|个?小时|時間|час\w*|ساعة|ساعات",
    ),
    (
        DAILY,
        r"days?|tage?n?|jours?|journées?|d[ií]as?|giorn[io]|dag(?:en)?|天|日間?|день|дн[яей]+|يوما?|أيام|الأيام",
    ),
    (Period("second", 14 * DAY), r"fortnights?"),
    (
        WEEKLY,
        r"weeks?|wks?|wochen?|semaines?|semanas?|settiman[ae]|we(?:ek|ken)|个?(?:周|星期|礼拜)|週間?|недел\w*|أسبوعا?|أسابيع",
    ),
    (
        QUARTERLY,
        r"quarters?|quartale?n?s?|trimestres?|trimestr[ei]|kwarta(?:al|len)|个?季度?|四半期|квартал\w*|ربع سنة|أرباع",
    ),
    (
        MONTHLY,
        r"months?|mths?|monate?n?|mois|m[eê]s(?:es)?|mes[ei]|maand(?:en)?|个?月|か月間?|ヶ月間?|ヵ月間?|месяц\w*|شهرا?|أشهر|شهور",
    ),
    (YEARLY, r"years?|yrs?|jahre?n?|ann?ées?|ans?|años?|ann[io]|anos?|ja(?:ar|ren)|年間?|год\w*|лет|سنة|سنوات|أعوام"),
    (Period("month", 120), r"decades?|jahrzehnte?n?|décennies?|décadas?"),
)
_STEPS = (
    r"(?:data ?)?points?|steps?|values?|periods?|observations?|entries|entry|rows?|numbers?|samples?|terms?|items?"
    r"|werte?n?|schritte?n?|zahlen|punkte?n?|perioden|valeurs?|pas|points?|périodes?|valor(?:es)?|pasos?|valor[ei]|passi"
    r"|passos?|waarden?|stappen|个?(?:值|点|期|数)|個の?値|点|значени\w*|шаг\w*|точ\w*|قيم|قيمة|خطوات"
)
_WORDS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "one ein eine einen un une uno una um uma een",
            "two zwei deux dos due dois duas twee couple",
            "three drei trois tres tre três drie",
            "four vier quatre cuatro quattro quatro",
            "five fünf cinq cinco cinque vijf",
            "six sechs seis sei zes",
            "seven sieben sept siete sette sete zeven",
            "eight acht huit ocho otto oito",
            "nine neun neuf nueve nove negen",
            "ten zehn dix diez dieci dez tien",
            "eleven elf onze once undici",
            "twelve dozen zwölf douze doce dodici doze twaalf",
        ),
        start=1,
    )
    for word in words.split()
} | {"fifteen": 15, "twenty": 20, "thirty": 30, "hundred": 100, "half a dozen": 6, "полтора": 1}
_CJK = {sign: number for number, sign in enumerate("一二三四五六七八九十", start=1)} | {"两": 2, "半": 1}
_CYRILLIC = {"два": 2, "две": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7, "десять": 10}
_ARABIC = {"ثلاثة": 3, "ثلاث": 3, "أربعة": 4, "أربع": 4, "خمسة": 5, "خمس": 5, "ستة": 6, "سبعة": 7, "عشرة": 10}
_NAMED = _WORDS | _CJK | _CYRILLIC | _ARABIC | {f"ال{word}": number for word, number in _ARABIC.items()}

_LETTERS = "|".join(sorted([*_WORDS, *_CYRILLIC, *_ARABIC], key=len, reverse=True))
_COUNT = (
    r"(?:(?<![\d.,])\d{1,3}(?:[.,]\d{3})+|(?<![\d.,])\d{1,7}"
    rf"|(?<![^\W\d_])(?:{_LETTERS})\b|[{''.join(_CJK)}])"
)
_NEXT = (
    r"next|coming|following|upcoming|subsequent|future|another|further|nächst\w*|kommend\w*|folgend\w*|prochaine?s?|suivante?s?"
    r"|próxim\w*|proxim\w*|siguientes?|prossim\w*|seguent[ei]|seguintes?|komende|volgende|未来|接下来|今後|次の|следующ\w*|ближайш\w*"
    r"|القادم\w*|المقبل\w*|التالي\w*"
)
_PAST = (
    r"last|past|previous|prior|recent|letzt\w*|vergangen\w*|vorig\w*|derni[eè]re?s?|passée?s?|últim\w*|ultim\w*|pasad\w*"
    r"|anterior\w*|scors\w*|passat\w*|passad\w*|afgelopen|vorige|laatste|过去|最近|過去|先|последн\w*|прошл\w*|الماضي\w*|الأخيرة?"
)
_UNIT = rf"(?P<unit>{'|'.join(words for _, words in _UNITS)})"
_EDGE = r"(?<![^\W\d_])"
_END = r"(?![^\W\d_]|\d)"
_OTHERS = rf"(?:[ -]?(?:{_NEXT}|more|weiteren?|autres|más|altri|mais|de|calendar|full|whole|single|additional|extra))?"
_COUNTED = re.compile(
    rf"(?P<count>{_COUNT})\s*-?{_OTHERS}\s*-?(?:{_UNIT}|{_STEPS})(?:{_END}|(?<=[\u3040-\u9fff]))", re.IGNORECASE
)
_COUNTED_AFTER = re.compile(rf"{_UNIT}\s+(?P<count>{'|'.join(f'ال{word}' for word in _ARABIC)})", re.IGNORECASE)
_UNCOUNTED = (
    re.compile(rf"{_EDGE}(?:{_NEXT})\s*{_UNIT}{_END}", re.IGNORECASE),
    re.compile(rf"{_EDGE}{_UNIT} (?:{_NEXT}){_END}", re.IGNORECASE),
)
_BARE = re.compile(
    rf"{_EDGE}(?:(?:{_NEXT})\s+(?P<next>{_COUNT}){_END}|(?P<more>{_COUNT}) more{_END}"
    rf"|(?:horizon|h|steps|prediction_length|length)\s*(?:of|[:=])\s*(?P<named>\d{{1,7}}){_END})",
    re.IGNORECASE,
)
_BEFORE = 24
"""Characters before a number of periods in which a word may say that they are past."""
_GONE = re.compile(rf"{_EDGE}(?:{_PAST})\W*(?:the\W*)?$", re.IGNORECASE)
_AHEAD = re.compile(rf"{_EDGE}(?:{_NEXT})\W*$", re.IGNORECASE)
_TOMORROW = re.compile(r"\b(?:tomorrow|morgen|demain|mañana|domani|amanhã)\b|明天|明日|\bзавтра\b|غدا", re.IGNORECASE)

_MONTH_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
_DATE = (
    r"(?P<iso>\d{4}-\d\d-\d\d)|(?P<ym>\d{4})-(?P<mm>\d\d)(?!\d)"
    r"|[QT](?P<q>[1-4])[ /-]?(?P<qy>\d{4})|(?P<yq>\d{4})[ -]?Q(?P<yqq>[1-4])"
    rf"|(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)? )?(?:de )?(?P<month>{_MONTH_NAMES})\.?"
    r"(?: (?P<d2>\d{1,2})(?:st|nd|rd|th)?,)?"
    r",? (?:de |of )?(?P<my>\d{4})|(?P<y>\d{4})(?![\d-])"
)
_UNTIL = re.compile(
    r"(?:\b(?:(?P<firm>until|till|through|thru|up to|bis|jusqu['’](?:à|en|au)|hasta|fino (?:a|al)|até|tot(?: en met)?"
    r"|до|по)"
    r"|to|by|ending|for|in|für|im|pour|en|para|per|voor|на|в)|(?P<cjk>到|至|حتى))"
    rf"(?: the)?(?: (?:end|close|ende|fin|final|fine|fim|einde|конца) ?(?:of|de|di|do|von|van)?)? ?(?:{_DATE})",
    re.IGNORECASE,
)


def horizon_in(words: str) -> Horizon | None:
    """None where `words` do not say. A number of periods wins over a date, and what is called next over the rest."""
    counted = [
        found for found in (*_COUNTED.finditer(words), *_COUNTED_AFTER.finditer(words)) if not _is_past(words, found)
    ]
    ahead = [found for found in counted if _AHEAD.search(words[max(0, found.start() - _BEFORE) : found.start()])]
    if ahead or counted:
        return _counted((ahead or counted)[0])
    if until := _until(words):
        return until
    for pattern in _UNCOUNTED:
        if found := pattern.search(words):
            return Horizon(1, _period(found))
    if found := _BARE.search(words):
        return Horizon(_number(found["next"] or found["more"] or found["named"]))
    return Horizon(1, DAILY) if _TOMORROW.search(words) else None


def _is_past(words: str, found: "re.Match[str]") -> bool:
    return bool(_GONE.search(words[max(0, found.start() - _BEFORE) : found.start()]))


def _counted(found: "re.Match[str]") -> Horizon:
    return Horizon(_number(found["count"]), _period(found))


def _period(found: "re.Match[str]") -> Period | None:
    """None where steps of the series are counted."""
    unit = found["unit"]
    return next((period for period, named in _UNITS if unit and re.fullmatch(named, unit, re.IGNORECASE)), None)


def _number(text: str) -> int:
    digits = text.replace(",", "").replace(".", "")
    return int(digits) if digits.isdecimal() else _NAMED[text.lower()]


def _until(words: str) -> Horizon | None:
    """The end of the last day, month, quarter or year that the words reach to."""
    ends = [
        (end, bool(found["firm"] or found["cjk"]))
        for found in _UNTIL.finditer(words)
        if (end := _end(found)) is not None
    ]
    if not ends:
        return None
    end, firm = max(ends)
    return Horizon(until=end, firm=firm)


def _end(found: "re.Match[str]") -> dt.datetime | None:
    try:
        if found["iso"]:
            return dt.datetime.fromisoformat(found["iso"]) + dt.timedelta(days=1)
        if found["month"]:
            day = found["d"] or found["d2"]
            start = dt.datetime(int(found["my"]), MONTHS[found["month"].lower()], int(day or 1))
            return start + dt.timedelta(days=1) if day else MONTHLY.after(start)
        if found["ym"]:
            return MONTHLY.after(dt.datetime(int(found["ym"]), int(found["mm"]), 1))
        if quarter := found["q"] or found["yqq"]:
            return QUARTERLY.after(dt.datetime(int(found["qy"] or found["yq"]), 3 * int(quarter) - 2, 1))
        return dt.datetime(int(found["y"]) + 1, 1, 1)
    except (ValueError, OverflowError):  # a date that the calendar does not have
        return None
