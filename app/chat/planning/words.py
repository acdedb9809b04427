"""What people call the things that tasks do, in English, German, French, Spanish, Italian, Portuguese, Dutch, Chinese,
Japanese, Russian and Arabic, in this order.

A subject is one pattern for all languages: a word that means something else in another one is rare, and a request has
to have several of them to be misread.
"""

import re
from typing import Final

Pattern = re.Pattern[str]


def _any(*alternatives: str) -> Pattern:
    return re.compile("|".join(alternatives), re.IGNORECASE)


TRANSLATE: Final = _any(
    r"\b(?:re)?translat\w+|\b(?:put|turn)\b.{0,40}\binto\b|\brender\b.{0,40}\bin(?:to)?\b"
    r"|\bconvert\b.{0,40}\b(?:in)?to\b|^\W*(?:in)?to \w+(?: please)?\W*$",
    r"\b(?:version|fassung|versión|versione|versão|versie)\b",
    r"\bübersetz\w*",
    r"\btrad[uú][iícçrz]\w*",
    r"\bverta(?:al|l)\w*",
    r"翻[译譯成]|译成|譯成|译为",
    r"翻訳|訳し|に訳",
    r"\b(?:перевед|перевест|перевод)\w*",
    r"ترجم",
)

SAY_IN: Final = _any(
    r"\bhow (?:do|would|can|should) (?:you|i|we|one) say\b|^\W*say\b|\bwhat does\b.*\bsay in\b",
    r"^\W*what(?:'s| is) (?:the \w+ )*❝ (?:in|called in)\b",
    r"\bwie sagt man\b",
    r"\bcomment (?:dit-on|dire|on dit)\b",
    r"\bcómo se dice\b",
    r"\bcome si dice\b",
    r"\bcomo se diz\b",
    r"\bhoe zeg je\b",
    r"怎么说",
    r"何と言",
    r"\bкак (?:сказать|будет|по-)",
    r"كيف (?:أقول|تقول|نقول)",
)

WRITE: Final = _any(
    r"\b(?:answer|repl(?:y|ies)|respond|write|summar\w+|explain|describe|list|draft|compose|search|compare)\b",
    r"\b(?:antwort\w*|schreib\w*|zusammen\w*|fasse|erklär\w*|beschreib\w*|nenn\w*)\b",
    r"\b(?:répon\w*|écri\w*|résum\w*|expliqu\w*|décri\w*)",
    r"\b(?:respond\w*|escrib\w*|resum\w*|explic\w*|describ\w*)\b",
    r"\b(?:rispond\w*|scriv\w*|riassum\w*|spieg\w*|descri\w*)\b",
    r"\b(?:escrev\w*|descrev\w*)\b",
    r"\b(?:antwoord\w*|schrijf\w*|samen\w*|beschrijf\w*)\b",
    r"回答|写|总结|概括|解释|描述",
    r"答え|書いて|要約|説明",
    r"\b(?:ответ|напиши|перескаж|кратко|объясни|опиши)\w*",
    r"أجب|اكتب|لخص|اشرح|صف ",
)
"""Has the LLM say something of its own, perhaps in another language: no translation of what it works on."""

FORECAST: Final = _any(
    r"\b(?:forecast|predict|project|extrapolat)(?:s|ed|e|ing|ion|ions)?\b"
    r"(?! (?:columns?|sheets?|tables?|fields?|rows?|said|says|in the|for \w+ was))",
    r"\bwhat will\b.*\b(?:be|next)\b|\bhow (?:will|might|could)\b",
    r"\bwie (?:wird|werden|entwickel\w+)\b|\b(?:wird|werden)\b.*\bsein\b"
    r"|\bprognos\w*|\bprognostizier\w*|\bvorhersag\w*|\bsag\w*\b.*\b(?:voraus|vorher)\b",
    r"\bpr[ée](?:voi|vis|vo|di)\w*|\bcomment (?:va|vont)\b|\bser(?:a|ont)\b",
    r"\bpron[oó]stic\w*|\bpredi[cg]\w*|\bprev(?:é|ee|er|isión)\b|\bcómo evolucionar\w*|\bser[aá]n?\b",
    r"\bprevedi\w*|\bprevision\w*|\bcome (?:andr|evolver)\w*|\bsar(?:à|anno)\b",
    r"\bprev(?:ej|is|ê)\w*|\bprojet\w*|\bcomo (?:vai|vão)\b|\bserão\b",
    r"\bvoorspel\w*|\bhoe (?:zal|zullen|ontwikkel)\w*",
    r"预测|預測|将如何|会怎么",
    r"予測|予想|どうなる",
    r"\b(?:с?прогноз|предска)\w*|\bкак (?:будет|будут|измен)\w*",
    r"توق[ّ]?ع|تنب[أؤّ]",
)

HORIZON: Final = _any(
    r"\bnext\b|\bcoming\b|\bfollowing (?:\d+|days|weeks|months)",
    r"\b(?:nächst|kommend)\w*",
    r"\bprochain\w*",
    r"\bpróxim\w*|\bproxim\w*",
    r"\bprossim\w*",
    r"\bkomende\b|\bvolgende\b",
    r"未来|接下来|今後|次の",
    r"\bследующ\w*|\bближайш\w*",
    r"القادم|المقبل|التالي",
)

PERIOD: Final = _any(
    r"\b(?:days?|weeks?|months?|quarters?|years?)\b",
    r"\b(?:tage?n?|wochen?|monate?n?|quartale?s?|jahre?s?)\b",
    r"\b(?:jours?|semaines?|mois|trimestres?|années?|ans?)\b",
    r"\b(?:días?|semanas?|mes(?:es)?|trimestres?|años?)\b",
    r"\b(?:giorn[io]|settiman[ae]|mes[ei]|trimestr[ei]|ann[io])\b",
    r"\b(?:dias?|mês|meses|anos?)\b",
    r"\b(?:dag(?:en)?|we(?:ek|ken)|maand(?:en)?|kwarta(?:al|len)|ja(?:ar|ren))\b",
    r"天|周|月|季度|年",
    r"日|週",
    r"\b(?:день|дн[яей]|недел|месяц|квартал|год|лет)\w*",
    r"يوم|أيام|أسبوع|شهر|أشهر|سنة|الربع",
)
"""With a horizon, and a table at hand: a forecast, whatever the verb."""

DETECT: Final = _any(
    r"\bdetect\w*|\bbound(?:ing)?[- ]box\w*|\bboxes? around\b|\bobjects\b|\bsegment\w*",
    r"\bobjekte\b|\bdetektier\w*|\bbegrenzungsrahm\w*",
    r"\bobjets\b|\bdétect\w*|\bencadr\w*",
    r"\bobjetos\b|\bdetect\w*",
    r"\boggetti\b|\brileva\w*",
    r"\bobjecten\b|\bdetecteer\w*",
    r"检测|檢測|物体|边界框",
    r"物体|検出",
    r"\bобъект\w*|\bобнаруж\w*",
    r"اكتشف|الأجسام|الكائنات",
)

LOOK_FOR: Final = _any(
    r"\b(?:count|find|locate|spot|describe|how many|point (?:to|out|at)|where(?:'s| is| are)|(?:is|are) there)\b"
    r"|\bwhat(?:'s| is| are| can you see| do you see)? (?:shown |visible )?(?:in|on) (?:this|the) "
    r"(?:image|picture|photo\w*)",
    r"\b(?:zähl\w*|finde\w*|wie ?viele|wo (?:ist|sind)|beschreib\w*|lokalisier\w*|markier\w*|gibt es)\b"
    r"|\bwas (?:ist|sieht man|siehst du) auf\b",
    r"\b(?:qu['’]y a-t-il|que voit-on|que vois-tu|repère\w*)\b",
    r"\bqué (?:se ve|ves|hay)\b",
    r"\bcosa (?:si vede|vedi|c['’]è)\b",
    r"\bo que (?:há|se vê|vês|aparece)\b",
    r"\bwat (?:zie|is er te zien)\b",
    r"有什么",
    r"何が",
    r"\bчто (?:изображено|видно|на)\b",
    r"ماذا (?:يوجد|ترى|يظهر)",
    r"\b(?:compte\w*|combien d\w*|trouve\w*|où (?:est|sont|se trouve)|décri\w*|localise\w*|y a-t-il)",
    r"\b(?:cuent[ae]\w*|cu[aá]nt[ao]s|encuentra\w*|d[oó]nde est[aá]n?|describ\w*|localiza\w*|hay algún)\b",
    r"\b(?:conta\w*|quant[ie]|trova\w*|dove (?:è|sono|si trova)|descrivi\w*|individua\w*)\b",
    r"\b(?:conte\w*|quant[ao]s|encontre\w*|onde (?:está|estão|fica)|descreva\w*|localize\w*)\b",
    r"\b(?:tel|hoeveel|vind|waar (?:is|zijn|staat)|beschrijf|zoek)\b",
    r"几[只个辆条张位]|多少[只个辆条张位人]|有多少|找出|找到|在哪|描述|数一数",
    r"何[人匹台個本枚]|いくつ|どこ|見つけ|探して|説明して|数えて",
    r"\b(?:сколько|есть ли|найди\w*|посчитай\w*|где|опиши\w*|покажи)\b",
    r"كم عدد|أين|صف |ابحث عن|اعثر|عد ",
)

WRITTEN: Final = _any(
    r"\b(?:total|subtotal|amount|sum|price|cost|date|invoice|receipt|bill|number|name|address|e-?mail|phone|words?|text"
    r"|sentences?|lines?|pages?|vat|tax|iban|serial|code|title|typos?|errors?|paragraphs?|letters?|characters?"
    r"|columns?|rows?|clause|deadline|signature|author|chart|table of)\b",
    r"\b(?:\w*(?:betrag|summe|preis|datum|rechnung|nummer|adresse|wörter|zeile\w*|seite\w*|steuer|fehler))\b",
    r"\b(?:montant|somme|prix|date|facture|numéro|nom|adresse|mots?|texte|lignes?|tva|erreurs?)\b",
    r"\b(?:importe|suma|precio|fecha|factura|número|nombre|dirección|palabras?|texto|líneas?|iva)\b",
    r"\b(?:importo|totale|prezzo|data|fattura|numero|nome|indirizzo|parol[ae]|testo|righ[ae])\b",
    r"\b(?:valor|soma|preço|fatura|nome|endereço|palavras?|linhas?|imposto)\b",
    r"\b(?:bedrag|totaal|prijs|datum|factuur|nummer|naam|adres|woorden|tekst|regels?|btw)\b",
    r"金额|总额|总计|价格|日期|发票|号码|名字|地址|文字|文本|字|税",
    r"金額|合計|価格|日付|請求書|番号|名前|住所|文字|税",
    r"\b(?:сумм|итог|цен|дат|счет|счёт|номер|им[яе]|адрес|слов|текст|строк|налог)\w*",
    r"المبلغ|المجموع|السعر|التاريخ|الفاتورة|رقم|اسم|العنوان|كلمة|كلمات|النص",
)

GUI: Final = _any(
    r"\bscreen ?(?:shots?|grabs?|captures?)\b|\bbuttons?\b|\bclick\b|\bclickable\b|\btap on\b"
    r"|\bg?ui\b|\buser interface\b|\bicons?\b"
    r"|\bcheck ?box(?:es)?\b|\bradio buttons?\b|\bdrop-?downs?\b|\btool ?bars?\b|\bmenu (?:bar|item)s?\b"
    r"|\b(?:input|text|form|search|password) (?:fields?|box(?:es)?)\b|\blog-?in form\b|\bwidgets?\b",
    r"\bschaltfläche\w*|\bknopf\b|\bklick\w*|\bbildschirm(?:foto|aufnahme)\w*|\beingabefeld\w*|\bbenutzeroberfläche\w*"
    r"|\bsymbolleiste\w*",
    r"\bboutons?\b|\bcliqu\w*|\bcaptures? d['’]écran\b|\bicônes?\b|\bchamps? de (?:saisie|texte)\b",
    r"\bbot[oó]n(?:es)?\b|\bclic\b|\bpulsar\b|\bcapturas? de pantalla\b|\biconos?\b|\bcampo de texto\b",
    r"\bpulsant[ei]\b|\bclicc\w*|\bschermat[ae]\b|\bicon[ae]\b|\bcampo di testo\b",
    r"\bbot(?:ão|ões)\b|\bclicar\b|\bclique\b|\bcapturas? de tela\b|\bícones?\b|\bcampo de texto\b",
    r"\bknop(?:pen)?\b|\bklik\w*|\bschermafbeelding\w*|\binvoerveld\w*|\bpictogram\w*",
    r"按钮|按鈕|点击|截图|截屏|图标|输入框|界面",
    r"ボタン|クリック|スクリーンショット|アイコン|入力欄|画面",
    r"\b(?:кнопк|кликн|скриншот|иконк|значок|интерфейс)\w*|\bполе ввода\b",
    r"زر |الزر|أنقر|انقر|لقطة شاشة|أيقونة|حقل الإدخال",
)

SEARCH: Final = _any(
    r"\b(?:search|look|find|check|browse|research)\b.{0,40}?"
    r"(?:\b(?:the |on the )?(?:web|internet)\b|\bonline\b|\bgoogle\b)"
    r"|\bus(?:e|ing) the (?:internet|web)\b|\bweb ?search for\b|\bsearch for\b|\blook up\b"
    r"|\bgoogle (?:for|the|it|this|how|what|who|when|where|whether)\b",
    r"\b(?:such\w*|recherchier\w*|schau\w*|find\w*|google\w*)\b.{0,30}\b(?:internet|web|netz|online|google)\b"
    r"|\bgoogle nach\b",
    r"\b(?:cherche\w*|recherche\w*|trouve\w*)\b.{0,30}\b(?:web|internet|en ligne|google)\b",
    r"\b(?:busca\w*|busque\w*|encuentra)\b.{0,30}\b(?:web|internet|en l[ií]nea|google|la red)\b",
    r"\b(?:cerca\w*|ricerca\w*|trova)\b.{0,30}\b(?:web|internet|online|google|in rete)\b",
    r"\b(?:pesquis\w*|procur\w*|busque)\b.{0,30}\b(?:web|internet|online|google)\b",
    r"\b(?:zoek\w*|opzoek\w*)\b.{0,30}\b(?:web|internet|online|google)\b",
    r"上网|网上|搜索一下|搜一下|百度一下|谷歌一下|搜索.{0,12}新闻|查一下最新",
    r"ネットで|ウェブで|インターネットで|検索して|ググって|調べて",
    r"\b(?:найди|поищи|погугли|ищи)\b.{0,30}\b(?:интернет\w*|сет[ьи]|онлайн|гугл\w*)\b|\bпогугли\b|\bзагугли\b",
    r"ابحث (?:في|على|عبر) (?:الإنترنت|الانترنت|الويب|جوجل|النت)",
)

FRESH: Final = _any(
    r"\b(?:latest|today(?:'s)?|tonight|tomorrow|yesterday|current(?:ly)?|right now|at the moment|this (?:week|month)"
    r"|last night|breaking|recent(?:ly)?|newest|live|up[- ]to[- ]date|upcoming|nowadays)\b",
    r"\b(?:neuest\w*|aktuell\w*|heute|heutig\w*|morgen|gestern|jetzt|derzeit|gerade)\b",
    r"\b(?:derni(?:er|ère)s?|actuel\w*|aujourd['’]hui|demain|hier|en ce moment|récent\w*)\b",
    r"\b(?:últim[ao]s?|actual\w*|hoy|mañana|ayer|ahora|reciente\w*)\b",
    r"\b(?:ultim[aeio]|attual\w*|oggi|domani|ieri|adesso|recent[ei])\b",
    r"\b(?:últim[ao]s?|atua(?:l|is)|hoje|amanhã|ontem|agora|recente\w*)\b",
    r"\b(?:laatste|nieuwste|huidige|vandaag|morgen|gisteren|actuele)\b",
    r"今天|今日|最新|现在|目前|当前|明天|昨天|实时|今年",
    r"本日|現在|明日|昨日|最近",
    r"\b(?:последн\w*|сегодня\w*|завтра|вчера|сейчас|текущ\w*|свеж\w*|актуальн\w*)\b",
    r"اليوم|آخر|الآن|الحالي|الحالية|أحدث|غدا|غدًا|أمس",
)

CHANGING: Final = _any(
    r"\b(?:news|headlines?|weather|temperature|prices?|stocks?|shares?|rates?|scores?|match|game|standings|results|polls?"
    r"|elections?|president|prime minister|chancellor|ceo|releases?|versions?|articles?|papers|traffic|events)\b",
    r"\b(?:nachrichten|wetter|schlagzeilen|preise?|\w*kurse?|aktien?|bundeskanzler\w*|präsident\w*|ergebnisse?|wahl\w*)\b",
    r"\b(?:nouvelles|actualités?|météo|temps|prix|cours|bourse|président\w*|premier ministre|élections?|résultats?)\b",
    r"\b(?:noticias|tiempo|clima|precios?|bolsa|cotización|presidente|elecciones|resultados?)\b",
    r"\b(?:notizie|meteo|tempo|prezz[oi]|borsa|cambio|presidente|elezioni|risultat[oi])\b",
    r"\b(?:notícias|tempo|clima|preços?|bolsa|cotação|presidente|eleições|resultados?)\b",
    r"\b(?:nieuws|weer|prijs|prijzen|koers|beurs|president|premier|verkiezing\w*|uitslag\w*)\b",
    r"新闻|天气|价格|股价|汇率|比分|总统|总理|油价|房价",
    r"ニュース|天気|株価|価格|為替|首相|大統領|結果",
    r"\b(?:новост|погод|цен|курс|акци|президент|премьер|выбор|результат)\w*",
    r"الطقس|الأخبار|أخبار|سعر|أسعار|الرئيس|نتائج|الانتخابات",
)

COSTS: Final = _any(
    r"\bhow much (?:is|are|does|do)\b",
    r"\b(?:was|wie ?viel) kostet\b",
    r"\bcombien coûte\w*",
    r"\bcuánto (?:cuesta|vale)\b",
    r"\bquanto (?:costa|custa)\b",
    r"\b(?:hoeveel|wat) kost\b",
    r"多少钱",
    r"いくら",
    r"\bсколько\b.*\bсто[ия]т\b",
    r"كم (?:سعر|ثمن|يكلف)",
)

CHANGES_ALWAYS: Final = _any(
    r"\b(?:stock|share|bitcoin|oil|gold|gas) price\b|\bexchange rate\b|\bweather (?:in|for|forecast)\b"
    r"|\bwho won\b.*\b(?:last|yesterday|today)\b|\bnews (?:about|on|from)\b",
)

READ_OUT: Final = _any(
    r"\b(?:read|ocr|extract|transcri\w+|scrape)\b",
    r"\b(?:lies|extrahier\w*|transkribier\w*|erkenn\w*)\b",
    r"\b(?:lis|extrai\w*|transcri\w*)\b",
    r"\b(?:lee|extra[ei]\w*|transcrib\w*)\b",
    r"\b(?:leggi|estra[ei]\w*|trascriv\w*)\b",
    r"\b(?:leia|extraia|transcrev\w*)\b",
    r"\b(?:lees|haal|transcribeer)\b",
    r"识别|提取|转成文字|转写|读出",
    r"読み取|抽出|文字起こし",
    r"\b(?:прочитай|извлеки|распознай|расшифруй)\w*",
    r"اقرأ|استخرج|فرّغ|فرغ",
)
"""What an OCR, a transcript or a scraped page answers by itself."""

ALL_THAT_IS_WRITTEN: Final = _any(
    r"\b(?:texts?|words?|sentences?|lines?|pages?|paragraphs?|letters?|characters?|receipts?|invoices?|bills?)\b",
    r"\b(?:rechnung|wörter|zeilen?|seiten?)\b",
    r"\b(?:textes?|mots?|lignes?|facture)\b",
    r"\b(?:textos?|palabras?|líneas?|factura)\b",
    r"\b(?:testo|parol[ae]|righ[ae]|fattura)\b",
    r"\b(?:texto|palavras?|linhas?|fatura)\b",
    r"\b(?:tekst|woorden|regels?|factuur)\b",
    r"文字|文本|字|发票",
    r"文字|請求書",
    r"\b(?:текст|слов|строк|счет|счёт)\w*",
    r"النص|كلمة|كلمات|الفاتورة",
)
"""Those words of WRITTEN that stand for the whole."""

ALSO: Final = _any(r"\?|\b(?:and|then|und|dann|et|puis|y|luego|e|poi|depois|en|и|затем)\b|和|并|然后|そして|て、| و")
"""A second thing to do, or a question: an LLM has more to do than to hand on a result."""

ABOUT_DOING: Final = _any(
    r"\bhow (?:do|can|could|would|should) (?:i|we|one)\b|\bhow to\b|\bshould (?:i|we)\b|\bwhy\b"
    r"|\bhow do(?:es)?\b.*\bwork"
    r"|\bexplain\b|\bwhat does\b.*\bmean|\b(?:who|which \w+|what \w+) translate[sd]\b"
    r"|\bwhat(?:'s| is| are)(?: the)? difference\b|^\W*what(?:'s| is) an?\b"
    r"|\b(?:write|implement|create|build|code|design|make|generate)\b.*"
    r"\b(?:function|script|program|class|tests?|regex|code|app|bot|query|api|module)\b",
    r"\bwie (?:kann|könnte|soll|würde) (?:ich|man)\b|\bwas bedeutet\b|\berklär\w*|\bwarum\b",
    r"\bcomment (?:puis-je|faire|fonctionne|chercher|traduire)\b|\bque (?:veut dire|signifie)\b"
    r"|\bexplique\w*|\bpourquoi\b",
    r"\bcómo (?:puedo|se puede|funciona|hago)\b|\bqué significa\b|\bexplica\w*|\bpor qué\b",
    r"\bcome (?:posso|si fa|funziona)\b|\bcosa significa\b|\bspiega\w*|\bperché\b",
    r"\bcomo (?:posso|faço|funciona)\b|\bo que significa\b|\bexplique\b|\bpor que\b",
    r"\bhoe (?:kan|moet|werkt)\b|\bwat betekent\b|\bleg uit\b|\bwaarom\b",
    r"什么意思|怎么(?!样|说)|如何|为什么",
    r"とは何|の意味|どうやって|なぜ",
    r"\bкак (?:мне|можно|работа\w*)\b|\bчто (?:значит|означает)\b|\bобъясни\w*|\bпочему\b",
    r"ما معنى|كيف (?:يمكن|أستطيع|يعمل)|اشرح|لماذا",
)
"""Speaks of a task instead of asking for it."""

DAY: Final = _any(
    r"\b(?:today|tonight|tomorrow|yesterday|last night|this weekend)\b",
    r"\b(?:heute|gestern|morgen)\b",
    r"\b(?:aujourd['’]hui|hier|demain)\b",
    r"\b(?:hoy|ayer|mañana)\b",
    r"\b(?:oggi|ieri|domani)\b",
    r"\b(?:hoje|ontem|amanhã)\b",
    r"\b(?:vandaag|gisteren)\b",
    r"今天|昨天|明天",
    r"今日|昨日|明日|今週末",
    r"\b(?:сегодня|вчера|завтра)\b",
    r"اليوم|أمس|غدا",
)
"""Asked about by somebody who does not speak of themselves, a day that no model has seen."""

FIRST_PERSON: Final = _any(
    r"\b(?:i|i['’]m|i['’]ve|me|my|mine|we|our|us)\b",
    r"\b(?:ich|mir|mich|mein\w*|wir|uns\w*)\b",
    r"\b(?:je|j['’]|moi|mon|ma|mes|nous|notre)\b|\bj['’]",
    r"\b(?:yo|mi|mis|nosotros|nuestr\w+)\b",
    r"\b(?:io|mio|mia|noi|nostr\w+)\b",
    r"\b(?:eu|meu|minha|nós|noss\w+)\b",
    r"\b(?:ik|mijn|mij|wij|ons|onze)\b",
    r"我",
    r"私|僕|俺",
    r"\b(?:я|мне|меня|мой|моя|мы|наш\w*)\b",
    r"أنا|لي |نحن",
)

QUESTION: Final = _any(r"[?？؟]")

OWN_WORDS: Final = _any(r"\b(?:my|mine|our|i|me|below|above|attached|essay)\b")
"""What somebody's latest draft has, no search engine knows."""

OPEN: Final = _any(
    r"\b(?:open|visit|fetch|follow|click|load|access|browse|scrape|go to)\b",
    r"\b(?:öffn\w*|besuch\w*|lad\w*|ruf\w*)\b",
    r"\b(?:ouvr|visit|charg)\w*",
    r"\b(?:abr\w*|apri\w*|acess\w*|acced\w*)\b",
    r"\bbezoek\w*",
    r"打开|访问|开启",
    r"開か|アクセス",
    r"\b(?:откр\w*|перехо\w*|заход\w*)\b",
    r"تفتح|تزر",
)

NOT_BEFORE: Final = _any(
    r"\b(?:do not|don['’]?t|never|without|no need to|not|instead of|rather than|avoid)\b",
    r"\b(?:nicht|keine?\w*|ohne)\b",
    r"\b(?:n['’]|ne\b|sans\b)",
    r"\b(?:no|sin|nunca|non|senza|não|sem)\b",
    r"\b(?:niet|geen|zonder)\b",
    r"不要|别|不用|无需|請勿|请勿",
    r"\b(?:не|без)\b",
    r"(?:^|\s)(?:لا|بدون|دون)\s",
)

NOT_AFTER: Final = _any(r"\b(?:nicht|niet)\b", r"ないで|せずに|しないで|なくて")
"""Languages whose verb stands before its negation."""
