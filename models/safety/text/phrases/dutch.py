"""Dutch."""

from models.safety.text.matching import Table

DUTCH = Table(
    language="nl",
    words={
        "person": """(?:mijn |m n |een |de |het |zijn |haar |je |jouw |die |deze |iemands )*(?:vrouw|man|echtgenoot|echtgenote|ex|vriend(?:in|en)?|partner|baas|buren|buurman|buurvrouw|moeder|vader|ouders|schoonmoeder|zus|broer|zoon|dochter|kind|kinderen|collega s?|collega|
            klasgenoot|klasgenoten|leraar|lerares|politieagent(?:en)?|agent|politicus|president|mensen?|persoon|meisje|baby|familie|oma|opa|getuige|vijand(?:en)?|iemand|anderen)""",
        "weapon": """(?:pijp|spijker|auto|brief|atoom|kern|brand|bermbom|zelfgemaakte )?bom(?:men)?|vuile bom|explosie(?:f|ven)|explosief(?:en)?|springstof(?:fen)?|molotov ?cocktails?|zenuwgas|mosterdgas|gifgas|chloorgas|sarin|ricine|antrax|miltvuur|(?:chemische?|biologische?|nucleaire?) wapens?|
            kernwapens?|massavernietigingswapens?|handgrana(?:at|ten)|dynamiet|zenuwgif""",
        "drug": "meth|crystal meth|cocaine|coke|crack|heroine|fentanyl|mdma|xtc|ecstasy|lsd|speed|amfetamine|drugs|ghb",
        "minor": "(?:een |mijn |kleine |jonge |minderjarige |het |de )*(?:kind|kinderen|minderjarigen?|kleuter|peuter|schoolmeisje|meisje van (?:\\d|1[0-3])|jongen van (?:\\d|1[0-3]))",
        "secretly": """zonder (?:dat (?:\\w+ ){0,4}(?:merkt|merken|weet|weten|ziet|doorheeft|ontdekt|betrapt|komt)|betrapt te worden|gepakt te worden|ontdekt te worden|op te vallen|sporen (?:achter te laten|na te laten)|(?:haar|zijn|hun) (?:toestemming|medeweten))""",
        "group": "joden|negers|zwarten|buitenlanders|moslims|marokkanen|turken|zigeuners|homo s|homos|flikkers|migranten|vluchtelingen|asielzoekers|chinezen|vrouwen|gehandicapten|arabieren|allochtonen",
    },
    asking="""hoe(?: (?:kan|kun|zou|moet|kunnen|maak|bouw|ga|krijg|doe|pleeg))?(?: (?:ik|je|men|we|iemand|er))*|ik (?:wil|ga|moet|zou graag|ben van plan)|kun je(?: me| mij)?|kan je(?: me)?|help me(?: om| met)?|leg(?: me)? uit|vertel me|laat me zien|leer me|geef me|stappen(?:plan)?|handleiding|
        instructies|recept|tips|manieren?|methodes?|trucs?|waar (?:kan|koop|vind|haal)(?: ik| je)?|(?:wat|welke)(?: \\w+)? (?:heb ik nodig|heb je nodig|nodig)(?: om| voor)?|stap voor stap(?: uit)?(?: hoe)?|ik zoek|ik wil zien|schrijf(?: een| me)?|genereer|maak(?: een| me)?|beschrijf|beste manier|is het mogelijk|(?:een|het) (?:stappenplan|recept) (?:om|voor)""",
    asked={
        "S1": (
            "{person} .. (?:vermoorden|doden|vergiftigen|wurgen|neersteken|ontvoeren|martelen|ombrengen|afmaken|neerschieten|om zeep helpen|uit de weg ruimen)",
            "(?:vermoord|dood|vergiftig|wurg|ontvoer|martel) (?:ik |je )?{person}",
            "(?:huurmoordenaar|huurmoordenaars) .. (?:inhuren|vinden|huren|regelen)|(?:vind|huur|regel) .. huurmoordenaar",
            "(?:lijk|dood lichaam) .. (?:verbergen|laten verdwijnen|kwijtraken|dumpen|verstoppen|begraven|wegwerken)",
            "(?:aanslag|moord|schietpartij|bloedbad|terreuraanslag|bomaanslag) .. (?:plegen|plannen|voorbereiden|uitvoeren)|(?:pleeg|plan) .. (?:aanslag|moord|schietpartij|bloedbad)",
        ),
        "S2": (
            "{drug} .. (?:koken|maken|produceren|verkopen|smokkelen|dealen|synthetiseren|produceert|maakt|kookt|gemaakt|geproduceerd)",
            "(?:kook|maak|verkoop|smokkel|produceer) (?:ik |je )?(?:\\w+ )?{drug}",
            "(?:wapens?|pistool|vuurwapens?|{drug}) .. (?:illegaal|zonder vergunning|op het dark ?web|op de zwarte markt) .. (?:kopen|krijgen|regelen)|(?:illegale?|illegaal) .. (?:wapens?|pistool|vuurwapens?) .. (?:kopen|krijgen|regelen)",
            "(?:vals geld|valse (?:biljetten|papieren|paspoorten|documenten)|vals (?:paspoort|id|rijbewijs)|bankbiljetten|paspoort|recept|handtekening) .. (?:maken|drukken|vervalsen|namaken|printen)",
            "(?:zwart geld|drugsgeld|geld) (?:\\w+ )?witwassen",
            "(?:bank|autos?|auto|winkel|huis|juwelier|supermarkt|geldautomaat|tankstation|fiets|museum|creditcards?) .. (?:beroven|overvallen|stelen|jatten|kraken|leegroven)",
            "(?:beroof|overval|steel|kraak) (?:ik |je )?.. (?:bank|auto|winkel|huis|juwelier|supermarkt|tankstation|fiets|museum)",
            "(?:inbreken|inbraak plegen) .. (?:huis|woning|winkel|buren|bedrijf)|(?:breek ik in) (?:bij|in)",
            "(?:computervirus|virus|malware|ransomware|keylogger|phishing ?(?:site|mail|pagina)?|trojan) .. (?:maken|schrijven|programmeren|bouwen|verspreiden)",
            "(?:bank|server|wifi|website|database|netwerk) .. hacken|hack (?:ik |je )?.. (?:bank|server|wifi|website|database|netwerk)",
            "belasting .. ontduiken|{person} .. (?:chanteren|afpersen|oplichten|omkopen)|(?:ouderen|mensen|bejaarden) .. oplichten",
            "(?:huis|school|auto|gebouw|winkel|kerk|moskee|bos|azc) .. (?:in brand steken|in de fik steken|platbranden)",
        ),
        "S3": (
            "(?:vrouw|meisje|vriendin|ex|collega|iemand) .. (?:verkrachten|aanranden|seksueel misbruiken|drogeren)",
            "(?:ghb|drugs|slaapmiddel|rohypnol) .. (?:in haar|in iemands|in een|in het) .. (?:drankje|glas|drinken)",
            "(?:naaktfotos?|naaktfoto s|sekstape|intieme (?:fotos|foto s|beelden)) .. (?:ex|vriendin|klasgenoot|collega) .. (?:verspreiden|delen|online zetten|posten|verkopen)",
            "(?:camera|cameras|camera s) .. (?:toilet|wc|douche|kleedkamer|badkamer|pashokje) .. (?:verstoppen|verbergen|ophangen|plaatsen|installeren)",
        ),
        "S4": (
            "(?:kinderporno|kinderpornografie)",
            "seks met {minor}|met {minor} (?:naar bed|vrijen|seks)",
            "{minor} .. (?:seksueel misbruiken|verkrachten|verleiden tot seks|groomen)",
        ),
        "S5": (
            "(?:valse )?(?:geruchten?|roddels|leugens|valse beschuldigingen|laster) (?:over|tegen) .. (?:verspreiden|rondstrooien|verzinnen|in de wereld)",
            "(?:verspreid|verzin) (?:ik )?(?:\\w+ )?(?:geruchten?|leugens|roddels) over",
            "reputatie .. (?:ruineren|kapotmaken|verwoesten|beschadigen)",
        ),
        "S7": (
            "(?:telefoon|whatsapp|instagram|facebook|account|berichten|snapchat|mail|laptop) van (?:mijn |een |iemand|n )(?:\\w+ )?(?:\\w+ )?.. (?:hacken|bespioneren|aftappen|stiekem|meelezen|kraken|volgen|lezen)",
            "(?:hack|kraak|bespioneer) (?:ik |je )?.. (?:telefoon|whatsapp|instagram|facebook|account|snapchat|mail|laptop) van",
            "{person} (?:stiekem )?(?:bespioneren|stalken|volgen|traceren|afluisteren|doxen) .. {secretly}",
            "{person} (?:stiekem (?:volgen|traceren|filmen|afluisteren)|stalken|doxen|doxxen)",
            "adres .. van (?:mijn ex|een meisje|iemand|een vrouw|een onbekende) .. (?:achterhalen|vinden|uitzoeken)",
            "(?:identiteit|wachtwoorden|wachtwoord|bankgegevens|creditcardgegevens) van (?:\\w+ ){0,2}(?:stelen|achterhalen|kraken)",
        ),
        "S8": (
            "(?:films?|software|games?|photoshop|windows|series|boeken|muziek) .. (?:illegaal (?:downloaden|streamen)|kraken|piraten)",
            "(?:gekraakte|illegale) (?:versie|software|games?) .. (?:downloaden|vinden)",
        ),
        "S9": (
            "{weapon} .. (?:maken|bouwen|fabriceren|in elkaar zetten|knutselen|mengen|plaatsen|laten ontploffen|ontwikkelen|kopen|regelen|te maken|te bouwen|maakt|bouwt)",
            "(?:maak|bouw|knutsel|fabriceer|meng) (?:ik |je |men )?(?:\\w+ ){0,2}{weapon}",
            "(?:maak|bouwt?|maakt) (?:je |men |ik )?(?:een |n )?(?:zelfgemaakte |eigen )?{weapon}",
        ),
        "S10": (
            "(?:racistische|antisemitische|homofobe|vrouwonvriendelijke|xenofobe|seksistische|nazi) (?:grappen?|moppen|beledigingen|gedicht|toespraak|memes?|liedje)",
            "(?:alle )?(?:de )?{group} .. (?:vermoorden|doden|vergassen|uitroeien|afmaken)",
        ),
        "S11": (
            "(?:mezelf|jezelf|mijzelf) .. (?:ombrengen|doden|ophangen|van kant maken|verhangen|snijden zonder|pijn doen|vergiftigen|verwonden)",
            "zelfmoord .. (?:plegen|pleeg)|pleeg (?:ik |je )?(?:\\w+ )?zelfmoord|(?:einde|eind) (?:te )?maken aan mijn leven|mijn leven .. beeindigen|pijnloos (?:sterven|doodgaan|dood)|polsen doorsnijden",
        ),
        "S12": (
            "(?:erotisch(?:e)?|pornografisch(?:e)?|geile|seksueel expliciete?) (?:verhaal|verhalen|scene|scenes|tekst|fantasie|dialoog)",
            "(?:sexverhaal|seksverhaal|seksscene|sexscene|porno ?(?:sites?|video s|filmpjes)?|gratis porno)",
        ),
        "S13": (
            "(?:verkiezing(?:en)?|stemmen|stembiljetten|stemcomputers|uitslag) .. (?:manipuleren|hacken|vervalsen|saboteren|kopen|stelen)",
            "(?:twee keer|dubbel|meerdere keren) stemmen|(?:nepnieuws|desinformatie|valse informatie|leugens) .. (?:verkiezing(?:en)?|stemmen|stembureau) .. (?:verspreiden|posten)",
        ),
    },
    said={
        "S9": ("(?:recept|handleiding|instructies|stappenplan) (?:voor|van) (?:\\w+ ){0,2}{weapon}",),
        "S4": (
            "(?:naaktfotos?|naaktfoto s|naaktbeelden|seksvideo s|porno) (?:van |met )(?:kleine |jonge |minderjarige )*(?:kinderen|minderjarigen|kleuters|schoolmeisjes|meisjes|meisjes van (?:\\d|1[0-3]))",
        ),
        "S2": ("(?:stelen|jatten|oplichten|smokkelen|inbreken|vervalsen|hacken|dealen) ... {secretly}",),
        "S1": ("{person} .. (?:vermoorden|doden|vergiftigen|ontvoeren|mishandelen) ... {secretly}",),
        "S10": (
            "waarom zijn (?:alle )?(?:de )?{group} (?:zo |allemaal |altijd )*(?:minderwaardig|dom|vies|crimineel|lui|smerig|achterlijk)",
            "{group} zijn (?:allemaal |gewoon )*(?:minderwaardig|ongedierte|parasieten|uitschot|tuig|beesten|ratten)|(?:vuile|vieze|kut|kanker) ?{group}",
        ),
        "S11": (
            "(?:makkelijkste|snelste|pijnloze|pijnloste|minst pijnlijke|beste) (?:manier|methode)(?: om)? (?:te )?(?:sterven|dood te gaan|zelfmoord te plegen|jezelf te doden|mezelf te doden|zelfmoord)",
        ),
    },
    unless={
        "": """voorkomen|voorkom|preventie|vermijden|beschermen|bescherm|melden|meld|aangifte|herkennen|herken|signalen|slachtoffers?|hulplijn|113|geschiedenis|historische?|museum|documentaire|werkstuk|scriptie|wet|wetten|strafbaar|straf|veroordeeld|
            vertalen|vertaling|betekent|vriend helpen|vriendin helpen|iemand helpen|helpen die|psycholoog|therapeut|ongeluk|bruisballen|badbommen|bad ?bom|waterbom|zaadbommen|caloriebom|zaadbom|onschadelijk|ontmantelen|explosievenopruiming|tweede wereldoorlog|
            koude oorlog|kakkerlakken|ratten vangen|muizen|muggen|mieren|tijd doden|onkruid|toneel|speelgeld|monopoly|zwarte (?:gat|thee)|proces""",
        "fiction": "film|films|boek over|roman|thriller|serie|personage|spel|game|videogame|minecraft|gta|liedje",
    },
)
