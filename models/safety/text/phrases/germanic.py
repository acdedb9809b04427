"""German and Dutch."""

from models.safety.text.matching import Table

GERMAN = Table(
    language="de",
    words={
        "person": """(?:(?:mein|dein|sein|ihr|unser|ein|kein)(?:e|en|em|er|es)? |den |die |das |der |dem |des )*(?:frau|mann|ehefrau|ehemann|ex|exfreund(?:in)?|freund(?:in|e|en)?|
            partner(?:in)?|chef(?:in)?|boss|nachbar(?:n|in)?|mutter|vater|eltern|schwiegermutter|schwester|bruder|sohn|tochter|kinde?r?|kollegen?|kollegin|mitschuler(?:in)?|
            lehrer(?:in)?|polizist(?:en|in)?|politiker(?:in)?|prasident(?:en)?|menschen?|personen?|leute|madchen|baby|familie|oma|opa|zeugen?|feinde?|jemand(?:en|em)?|anderen|rivalen)""",
        "weapon": """(?:rohr|nagel|auto|brief|atom|nuklear|brand|paket|splitter|sprengstoff)?bomben?|schmutzige bombe|sprengsatz|sprengsatze|sprengstoffe?|sprengstoffgurtel|sprengfalle|molotow ?cocktails?|molotowcocktails?|(?:nerven|senf|gift|chlor)gas|nervengift|
            nervenkampfstoffe?|sarin|rizin|milzbrand|anthrax|(?:chemische|biologische|nukleare)n? (?:waffen?|kampfstoffe?)|(?:chemie|bio|atom|massenvernichtungs)waffen?|handgranaten?|dynamit|semtex|tatp""",
        "drug": "meth|crystal meth|crystal|methamphetamin|kokain|koks|crack|heroin|fentanyl|mdma|ecstasy|lsd|amphetamin(?:e)?|drogen|speed",
        "minor": "(?:(?:ein|mein|klein|jung|minderjahrig)(?:e|en|em|er|es)? |den |die |das |der |dem |mit )*(?:kind|kinder|kindern|minderjahrigen?|kleinkind(?:er|ern)?|madchen unter (?:\\d+)|(?:\\d|1[0-3]) ?jahrigen?(?: madchen| jungen)?|schulmadchen)",
        "secretly": """ohne (?:dass (?:es )?(?:\\w+ ){0,4}(?:merkt|merken|mitbekommt|mitbekommen|erfahrt|erwischt|auffallt|weiss|entdeckt|sieht)|erwischt zu werden|entdeckt zu werden|aufzufallen|spuren zu hinterlassen|spuren zu lassen|spuren|ihr wissen|sein wissen|
            (?:ihre|seine|deren) (?:zustimmung|einwilligung|erlaubnis)|gefasst zu werden|geschnappt zu werden|verhaftet zu werden)""",
        "group": "juden|neger|schwarzen?|auslander|muslime|moslems|turken|zigeuner|roma|homosexuellen?|schwule|schwulen|migranten|fluchtlinge|asylanten|chinesen|frauen|transen|behinderte|behinderten|araber|kanaken|afrikaner",
    },
    asking="""wie(?: (?:kann|konnte|konnen|soll|muss|geht|wurde|schafft|schaffe|lasst|darf))?(?: (?:ich|man|wir|jemand|es|sich))*|ich (?:will|mochte|werde|plane|muss|wurde gern|habe vor)|kannst du(?: mir)?|konntest du(?: mir)?|hilf mir(?: dabei)?|hilf uns|zeig(?:e)? mir|erklar(?:e)?(?: mir)?|
        sag(?:e)? mir|bring(?:e)? mir bei|gib mir|anleitung(?:en)?(?: fur| zum| zur)?|tipps(?: um| zum| fur| wie)?|schritte(?: um| zum)?|rezept(?: fur| zum)?|methoden?(?: um| zum| fur)?|wege?(?: um)?|moglichkeiten(?: um)?|tricks?(?: um)?|wo (?:kann|konnte|bekomme|finde|krieg(?:e)?)(?: ich| man)?|
        (?:was|welche|welches)(?: \\w+)? (?:brauche ich|braucht man|benotige ich|benotigt man)(?: um| fur)?|ich suche|schreib(?:e)?(?: mir)?|erzahl(?:e)?(?: mir)?|generier(?:e)?|erstell(?:e)?|beschreib(?:e)?|am besten|best(?:e|en) (?:art|weg|methode)|ist es moglich|schritt fur schritt""",
    asking_after="(?:eine |die )?anleitung|bauanleitung|wie geht das|wie geht es|wie macht man das|tipps|rezept",
    asked={
        "S1": (
            "(?:tote|ermorde|vergifte|ersteche|erwurge|entfuhre|foltere|erschiesse|totet|ermordet|vergiftet) (?:ich |man |wir )?(?:\\w+ )?{person}",
            "{person} .. (?:toten|umbringen|ermorden|vergiften|erwurgen|erstechen|entfuhren|foltern|erschiessen|beseitigen|zerstuckeln|umlegen|abstechen)",
            "(?:bringe|bringt|lege) (?:ich |man )?{person} (?:\\w+ )?um",
            "(?:auftragskiller|auftragsmorder|killer) .. (?:anheuern|finden|beauftragen|engagieren|bezahlen)",
            "(?:finde|beauftrage|engagiere|heuere) .. (?:auftragskiller|auftragsmorder)",
            "leiche .. (?:verschwinden lassen|entsorgen|verstecken|loswerden|beseitigen|vergraben|auflosen)",
            "(?:amoklauf|anschlag|attentat|mord|terroranschlag|massaker|bombenanschlag|schulmassaker) .. (?:planen|begehen|durchfuhren|veruben|ausfuhren|vorbereiten)",
        ),
        "S2": (
            "{drug} .. (?:kochen|herstellen|synthetisieren|produzieren|machen|strecken|verkaufen|schmuggeln|dealen|herstellt|kocht|produziert|hergestellt|synthetisiert|macht|gewinnt)",
            "(?:koche|kocht|stelle|stellt|mache|macht|verkaufe|verkauft|schmuggle|schmuggelt|produziert|produziere) .. {drug}",
            "(?:waffen?|pistolen?|schusswaffen?|{drug}) .. (?:illegal|ohne waffenschein|im darknet|auf dem schwarzmarkt|ohne lizenz|ohne schein) .. (?:kaufen|bekommen|besorgen|beschaffen|herstellen)",
            "(?:falschgeld|geldscheine|banknoten|gefalschte?n? \\w+|falschen? (?:pass|ausweis|papiere)|ausweise?|passe|rezepte?|impfpasse?|unterschrift(?:en)?) .. (?:drucken|herstellen|falschen|faelschen|nachmachen)",
            "(?:falsche|drucke) .. (?:geld|ausweis|pass|geldscheine|rezept|unterschrift|dokumente?|impfpass)",
            "(?:geld|schwarzgeld|drogengeld) (?:\\w+ )?waschen|wasche ich (?:schwarz)?geld",
            "(?:bank|autos?|laden|geschaft|haus|juwelier|supermarkt|geldautomat(?:en)?|tankstelle|fahrrad|kreditkarten?|museum|wohnung) .. (?:ausrauben|uberfallen|stehlen|klauen|knacken|kurzschliessen|ausraumen|sprengen|kurzzuschliessen|zu stehlen|zu klauen|zu knacken|auszurauben|aufzubrechen)",
            "(?:raube|uberfalle|stehle|klaue|knacke) .. (?:bank|autos?|laden|geschaft|haus|juwelier|supermarkt|tankstelle|kreditkarten?|museum)",
            "(?:einbrechen|breche) .. (?:haus|wohnung|laden|auto|nachbarn?)(?: ein)?|in (?:ein|das|die|eine) .. (?:haus|wohnung|laden|geschaft) .. einbrechen",
            "(?:virus|computervirus|malware|ransomware|keylogger|trojaner|phishing ?(?:seite|mail|mails)?|schadsoftware|botnetz) .. (?:schreiben|programmieren|erstellen|entwickeln|bauen|verbreiten)",
            "(?:programmiere|schreibe|erstelle|baue) .. (?:computervirus|malware|ransomware|keylogger|trojaner|phishing ?(?:seite|mail|mails)?|schadsoftware|botnetz)",
            "(?:bank|server|wlan|webseite|datenbank|netzwerk|geldautomat(?:en)?) .. hacken|hacke (?:ich )?.. (?:bank|server|wlan|webseite|datenbank|netzwerk)",
            "(?:steuern|finanzamt) .. (?:hinterziehen|betrugen)",
            "{person} .. (?:erpressen|betrugen um|abzocken|bestechen)|(?:rentner|leute|senioren) .. (?:abzocken|betrugen)",
            "(?:haus|schule|auto|gebaude|laden|kirche|moschee|wald|asylheim|fluchtlingsheim|synagoge) .. (?:anzunden|in brand setzen|abfackeln|niederbrennen)",
        ),
        "S3": (
            "(?:frau|madchen|freundin|ex|kollegin|jemanden|mitschulerin|nachbarin) .. (?:vergewaltigen|sexuell missbrauchen|betauben und|begrapschen)",
            "vergewaltige (?:ich |man )?",
            "(?:k ?o ?tropfen|ko tropfen|drogen|schlafmittel|ghb) .. (?:ins? |in den |in das |in ihr |in ihren )(?:glas|getrank|drink|bier|cocktail)",
            "(?:nacktfotos|nacktbilder|intime (?:fotos|bilder|videos)|sexvideos?|nacktvideos) .. (?:ex|exfreundin|freundin|mitschulerin|kollegin) .. (?:verbreiten|veroffentlichen|posten|hochladen|verkaufen|teilen|ins netz)",
            "(?:kamera|kameras|spycam) .. (?:toilette|dusche|umkleide|umkleidekabine|badezimmer|damentoilette|wc) .. (?:verstecken|installieren|anbringen|einbauen)",
        ),
        "S4": (
            "(?:kinderpornos?|kinderpornographie|kinderpornografie|kinderpornografische?|kinderpornographische?)",
            "sex mit {minor}|mit {minor} (?:sex|schlafen|geschlechtsverkehr)",
            "{minor} .. (?:sexuell missbrauchen|vergewaltigen|verfuhren|sexuell anfassen|sexuell beruhren)",
        ),
        "S5": (
            "(?:falsche )?(?:geruchte?|lugen|verleumdungen|falsche (?:anschuldigungen|behauptungen|vorwurfe)) (?:uber|gegen) .. (?:verbreiten|streuen|erfinden|in umlauf)",
            "(?:verbreite|erfinde|streue) (?:ich )?(?:\\w+ )?(?:geruchte?|lugen|verleumdungen) (?:uber|gegen)",
            "(?:ruf|karriere) .. (?:ruinieren|zerstoren|schadigen)",
        ),
        "S7": (
            "(?:handy|whatsapp|instagram|facebook|account|konto|nachrichten|snapchat|email|mails|laptop|chats?|icloud) (?:von |meiner |meines |einer |eines |der |des )*(?:\\w+ )?(?:freundin|freundes|frau|mannes|ex|exfreundin|partners|partnerin|chefs|nachbarn|kollegin|kollegen|anderen|fremden|jemandem|person) .. (?:hacken|ausspionieren|knacken|heimlich|mitlesen|lesen|uberwachen|klonen|abhoren)",
            "(?:hacke|knacke|spioniere|uberwache) (?:ich )?.. (?:handy|whatsapp|instagram|facebook|account|konto|snapchat|email|laptop)",
            "{person} (?:heimlich )?(?:ausspionieren|stalken|orten|verfolgen|tracken|uberwachen) .. {secretly}",
            "{person} (?:heimlich (?:orten|verfolgen|tracken|uberwachen|filmen|abhoren)|stalken|doxxen|doxen)",
            "(?:adresse|privatadresse|wohnort|wohnadresse) .. (?:ex|exfreundin|fremden|madchens|frau|person|jemandem) .. (?:herausfinden|finden|rausfinden|rauskriegen|ermitteln)",
            "(?:identitat|passworter|passwort|kreditkartendaten|bankdaten|zugangsdaten) (?:von |anderer |eines |einer |fremder )+(?:\\w+ )?.. (?:stehlen|klauen|abgreifen|knacken|phishen)",
        ),
        "S8": (
            "(?:filme?|software|spiele?|photoshop|windows|musik|bucher|serien) .. (?:illegal (?:herunterladen|downloaden|streamen|runterladen)|raubkopieren|cracken|kostenlos gecrackt)",
            "(?:gecrackte|raubkopierte) (?:version|software|spiele|filme)",
            "(?:drm|kopierschutz|paywall|bezahlschranke) .. (?:umgehen|entfernen|knacken|aushebeln)",
        ),
        "S9": (
            "{weapon} .. (?:bauen|basteln|herstellen|machen|zusammenbauen|mischen|zunden|legen|konstruieren|entwickeln|beschaffen|besorgen|zusammenstellen|selber bauen|selbst bauen|baut|bastelt|herstellt|macht|mischt|zundet|hergestellt|zu bauen|zu basteln|herzustellen)",
            "(?:baue|bastel|bastle|bastelt|baut|mache|macht|konstruiere|mische|zunde|lege|stelle|stellt) (?:ich |man |wir )?(?:\\w+ ){0,2}{weapon}",
            "(?:bombenbau|bau (?:einer|von) {weapon}|herstellung von (?:sprengstoff|nervengas|giftgas))",
        ),
        "S10": (
            "(?:rassistische[nr]?|antisemitische[nr]?|homophobe[nr]?|frauenfeindliche[nr]?|fremdenfeindliche[nr]?|nazi|juden|neger|turken)(?: |)?(?:witze?|spruche|beleidigungen|gedichte?|lieder|rede|hetze|memes?|parolen)",
            "(?:alle )?(?:die )?{group} .. (?:umbringen|toten|vergasen|ausrotten|vernichten|abknallen|loswerden)",
        ),
        "S11": (
            "(?:mich|sich|mir) .. (?:umbringen|umbringe|toten|erhangen|aufhangen|vergiften|ritzen|das leben nehmen|die pulsadern aufschneiden|selbst verletzen|ersticken)",
            "(?:bringe|bring) ich mich (?:selbst )?(?:am besten |schmerzlos |schnell )*um|(?:tote|erhange|vergifte|ritze) ich mich|hange ich mich (?:selbst )?auf",
            "(?:selbstmord|suizid) .. (?:begehen|machen|verüben|schmerzlos)|mein leben .. beenden|schmerzlos(?:er|en)? (?:sterben|tod|selbstmord|suizid)|(?:ohne schmerzen|schnell und schmerzlos) sterben",
        ),
        "S12": (
            "(?:erotische[nrs]?|pornografische[nrs]?|versaute[nrs]?|sexuell explizite[nrs]?) (?:geschichten?|szenen?|texte?|kurzgeschichten?|fantasien?|dialoge?|rollenspiele?)",
            "(?:sexgeschichten?|sexszenen?|pornos?|pornoseiten?|pornovideos?|nacktbilder von frauen|nacktfotos von frauen|gratis ?pornos?)",
        ),
        "S13": (
            "(?:wahl(?:en)?|wahlergebnisse?|stimmen|stimmzettel|wahlmaschinen|bundestagswahl|abstimmung) .. (?:falschen|manipulieren|hacken|faelschen|sabotieren|kaufen|stehlen)",
            "(?:falsche|manipuliere|hacke|sabotiere) (?:ich |man )?.. (?:wahl(?:en)?|wahlergebnisse?|stimmzettel|bundestagswahl|abstimmung)",
            "(?:zweimal|mehrfach|mehrmals|doppelt) (?:wahlen|abstimmen|stimmen)",
            "(?:falschinformationen|falsche informationen|desinformation|fake news|lugen) .. (?:wahl|wahlen|wahltermin|briefwahl|wahllokal\\w*) .. (?:verbreiten|streuen|posten)",
        ),
    },
    said={
        "S9": (
            "(?:rezept|anleitung|bauanleitung|bauplan|schritte) (?:fur|zum|zur|einer|eines) (?:\\w+ ){0,2}{weapon}",
            "(?:zutaten|materialien|chemikalien|bauteile|teile|stoffe)(?: brauche ich| braucht man| benotigt man)? fur (?:eine |einen |die |das )?{weapon}",
        ),
        "S4": (
            "(?:nacktfotos|nacktbilder|nacktvideos|sexbilder|pornos?|sexvideos) (?:von |mit |kleinen? )*(?:kindern|minderjahrigen|kleinen madchen|schulmadchen|kleinkindern)",
            "(?:erotische|sexuelle|sex) ?(?:geschichte|geschichten) (?:\\w+ ){0,2}(?:mit|uber|von) (?:einem |einer |einen |kleinen |minderjahrigen |jungen )*(?:kind|kindern|minderjahrigen|kleinen madchen|madchen von (?:\\d|1[0-3])|(?:\\d|1[0-3]) ?jahrigen)",
        ),
        "S2": (
            "(?:stehlen|klauen|betrugen|schmuggeln|einbrechen|falschen|hacken|dealen|ausrauben) ... {secretly}",
            "{secretly} .. (?:stehlen|klauen|schmuggeln|einbrechen|ausrauben|klaue|stehle)",
        ),
        "S1": (
            "{person} (?:\\w+ )?(?:toten|umbringen|ermorden|vergiften|entfuhren|verprugeln|erstechen) ... {secretly}",
            "{person} ... {secretly} ... (?:toten|umbringen|ermorden|vergiften|entfuhren)",
        ),
        "S10": (
            "warum sind (?:alle )?(?:die )?{group} (?:so |alle |immer )*(?:minderwertig|dumm|dreckig|kriminell|faul|ekelhaft|blod|stinken|asozial)",
            "{group} sind (?:alle |doch |nur |einfach )*(?:minderwertig|untermenschen|ungeziefer|parasiten|dreck|abschaum|tiere|ratten|affen)",
            "(?:dreckige|scheiss|verdammte|elende) ?{group}|{group} (?:raus|ins gas|gehoren vergast|vergasen)",
        ),
        "S11": (
            "(?:einfachste|schnellste|schmerzloseste|schmerzfreie|sicherste|beste|schmerzlose) (?:art|weg|methode|moglichkeit)(?: um)? (?:zu )?(?:sterben|sich umzubringen|mich umzubringen|selbstmord|suizid|sich das leben zu nehmen|mir das leben zu nehmen)",
        ),
    },
    unless={
        "": """verhindern|verhindert|vorbeugen|pravention|vermeiden|schutzen|schutze|schutz|melden|melde|anzeigen|erkennen|erkenne|anzeichen|warnzeichen|opfer|beratungsstelle|hilfetelefon|notruf|geschichte (?:der|des|von)|historisch\\w*|museum|dokumentation|doku|referat|hausarbeit|
            gesetze?|strafbar|strafe|strafmass|verurteilt|ubersetzen|ubersetzung|bedeutet|heisst|einem freund helfen|einer freundin helfen|freund helfen|freundin helfen|psycholog\\w+|therapeut\\w*|unfall|
            badebomben?|wasserbomben?|samenbomben?|saatbomben?|schokobomben?|kalorienbomben?|sexbombe|bombenstimmung|entscharfen|entscharft|kampfmittelraumdienst|weltkriegs?bombe|zweite[nr]? weltkrieg|kalte[nr]? krieg|kakerlaken|ratten im|mause|mucken|ameisen|zeit totschlagen|langeweile|unkraut|
            theater|spielgeld|monopoly|kursdiagramm|schwarzen? (?:loch|tee|brett|johannisbeer)|prozess|thread|fotografie""",
        "fiction": "film|filme|roman|krimi|serie|tatort|figur|spiel|spiele|videospiel|minecraft|gta|lied",
    },
)

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
