"""German."""

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
            "(?:bringe|bringt|lege|legt) (?:ich |man )?{person} (?:\\w+ )?um",
            "(?:verprugle|verprugel|verprugelt|prugle|prugelt|schlage|schlagt) .. {person} .. (?:zu )?tode?",
            "(?:auftragskiller|auftragsmorder|killer) .. (?:anheuern|finden|beauftragen|engagieren|bezahlen|mieten|buchen)",
            "(?:finde|findet|beauftragt?e?|engagiert?e?|heuert?e?|miete|mietet) .. (?:auftragskiller|auftragsmorder)",
            "leiche .. (?:verschwinden lassen|entsorgen|verstecken|loswerden|beseitigen|vergraben|auflosen)",
            "(?:werde ich|wird man) .. leichen? .. los|(?:lose|lost|entsorge|entsorgt|verstecke|versteckt|vergrabe|vergrabt|beseitige|beseitigt|zerstuckle|zerstuckelt) (?:ich|man) .. leichen?",
            "(?:plane|plant|begehe|begeht|verube|verubt) (?:ich|man) .. (?:amoklauf|anschlag|attentat|mord|terroranschlag|massaker|bombenanschlag|schulmassaker)",
            "(?:amoklauf|anschlag|attentat|mord|terroranschlag|massaker|bombenanschlag|schulmassaker) .. (?:planen|begehen|durchfuhren|veruben|ausfuhren|vorbereiten)",
        ),
        "S2": (
            "{drug} .. (?:kochen|herstellen|synthetisieren|produzieren|machen|strecken|verkaufen|schmuggeln|dealen|herstellt|kocht|produziert|hergestellt|synthetisiert|macht|gewinnt)",
            "(?:koche|kocht|stelle|stellt|mache|macht|verkaufe|verkauft|schmuggle|schmuggelt|produziert|produziere) .. {drug}",
            "(?:kaufe|kauft|besorge|besorgt|bekomme|bekommt) (?:ich|man) .. (?:waffen?|pistolen?|schusswaffen?|{drug}) .. (?:illegal|ohne waffenschein|im darknet|auf dem schwarzmarkt|ohne lizenz|ohne schein)",
            "(?:waffen?|pistolen?|schusswaffen?|{drug}) .. (?:illegal|ohne waffenschein|im darknet|auf dem schwarzmarkt|ohne lizenz|ohne schein) .. (?:kaufen|bekommen|besorgen|beschaffen|herstellen)",
            "(?:falschgeld|geldscheine|banknoten|gefalschte?n? \\w+|falschen? (?:pass|ausweis|papiere)|ausweise?|passe|rezepte?|impfpasse?|unterschrift(?:en)?) .. (?:drucken|herstellen|falschen|faelschen|nachmachen)",
            "(?:falsche|falscht|faelsche|faelscht|drucke|druckt) .. (?:geld|ausweis|pass|falschgeld|geldscheine|banknoten|rezept|unterschrift|dokumente?|impfpass)",
            "(?:geld|schwarzgeld|drogengeld) (?:\\w+ )?waschen|(?:wasche|wascht) (?:ich |man )?(?:\\w+ )?(?:schwarz|drogen)?geld",
            "(?:bank|autos?|laden|geschaft|haus|juwelier|supermarkt|geldautomat(?:en)?|tankstelle|fahrrad|kreditkarten?|museum|wohnung) .. (?:ausrauben|uberfallen|stehlen|klauen|knacken|kurzschliessen|ausraumen|sprengen|kurzzuschliessen|zu stehlen|zu klauen|zu knacken|auszurauben|aufzubrechen)",
            "(?:raube|uberfalle|stehle|klaue|knacke|raubt man|uberfallt man|stiehlt man|klaut man|knackt man) .. (?:bank|autos?|laden|geschaft|haus|juwelier|supermarkt|geldautomat(?:en)?|tankstelle|fahrrad|kreditkarten?|museum)",
            "(?:einbrechen|breche|bricht) .. (?:haus|wohnung|laden|auto|nachbarn?)(?: ein)?|in (?:ein|das|die|eine) .. (?:haus|wohnung|laden|geschaft) .. einbrechen",
            "(?:virus|computervirus|malware|ransomware|keylogger|trojaner|phishing ?(?:seite|mail|mails)?|schadsoftware|botnetz) .. (?:schreiben|programmieren|erstellen|entwickeln|bauen|verbreiten)",
            "(?:programmiere|programmiert|schreibe|schreibt|erstelle|erstellt|baue|baut) .. (?:computervirus|malware|ransomware|keylogger|trojaner|phishing ?(?:seite|mail|mails)?|schadsoftware|botnetz)",
            "(?:bank|server|wlan|webseite|datenbank|netzwerk|geldautomat(?:en)?) .. hacken|(?:hacke|hackt) (?:ich |man )?.. (?:bank|server|wlan|webseite|datenbank|netzwerk|geldautomat(?:en)?)",
            "(?:steuern|finanzamt) .. (?:hinterziehen|betrugen)",
            "{person} .. (?:erpressen|betrugen um|abzocken|bestechen)|(?:rentner|leute|senioren|richter|beamten?) .. (?:abzocken|betrugen|bestechen|erpressen)",
            "(?:erpresse|erpresst|besteche|besticht|betruge|betrugt|zocke) (?:ich|man) .. (?:{person}|rentner|leute|senioren|richter|beamten?|finanzamt|versicherung)",
            "(?:haus|schule|auto|gebaude|laden|kirche|moschee|wald|asylheim|fluchtlingsheim|synagoge) .. (?:anzunden|in brand setzen|abfackeln|niederbrennen)",
            "(?:zunde|zundet|fackle|fackelt|brenne|brennt) (?:ich|man) (?:\\w+ )?(?:haus|schule|auto|gebaude|laden|kirche|moschee|wald|asylheim|fluchtlingsheim|synagoge) .. (?:an|ab|nieder)",
        ),
        "S3": (
            "(?:frau|madchen|freundin|ex|kollegin|jemanden|mitschulerin|nachbarin) .. (?:vergewaltigen|sexuell missbrauchen|betauben und|begrapschen)",
            "(?:vergewaltige|vergewaltigt|begrapsche|begrapscht) (?:ich |man )?",
            "(?:verbreite|verbreitet|veroffentliche|veroffentlicht|poste|postet|verkaufe|verkauft) (?:ich|man) .. (?:nacktfotos|nacktbilder|intime (?:fotos|bilder|videos)|sexvideos?|nacktvideos) .. (?:ex|exfreundin|freundin|mitschulerin|kollegin)",
            "(?:verstecke|versteckt|installiere|installiert) (?:ich|man) .. (?:kamera|kameras|spycam) .. (?:toilette|dusche|umkleide|umkleidekabine|badezimmer|damentoilette|wc)",
            "(?:k ?o ?tropfen|ko tropfen|drogen|schlafmittel|ghb) .. (?:ins? |in den |in das |in ihr |in ihren )(?:glas|getrank|drink|bier|cocktail)",
            "(?:nacktfotos|nacktbilder|intime (?:fotos|bilder|videos)|sexvideos?|nacktvideos) .. (?:ex|exfreundin|freundin|mitschulerin|kollegin) .. (?:verbreiten|veroffentlichen|posten|hochladen|verkaufen|teilen|ins netz)",
            "(?:kamera|kameras|spycam) .. (?:toilette|dusche|umkleide|umkleidekabine|badezimmer|damentoilette|wc) .. (?:verstecken|installieren|anbringen|einbauen)",
        ),
        "S4": (
            "(?:kinderpornos?|kinderpornographie|kinderpornografie|kinderpornografische?|kinderpornographische?)",
            "(?:missbrauche|missbraucht|vergewaltige|vergewaltigt|verfuhre|verfuhrt) (?:ich |man ){minor}",
            "sex mit {minor}|mit {minor} (?:sex|schlafen|geschlechtsverkehr)",
            "{minor} .. (?:sexuell missbrauchen|vergewaltigen|verfuhren|sexuell anfassen|sexuell beruhren)",
        ),
        "S5": (
            "(?:falsche )?(?:geruchte?|lugen|verleumdungen|falsche (?:anschuldigungen|behauptungen|vorwurfe)) (?:uber|gegen) .. (?:verbreiten|streuen|erfinden|in umlauf)",
            "(?:verbreite|verbreitet|erfinde|erfindet|streue|streut) (?:ich |man )?(?:\\w+ )?(?:geruchte?|lugen|verleumdungen) (?:uber|gegen)",
            "(?:ruf|karriere) .. (?:ruinieren|zerstoren|schadigen)",
            "(?:ruiniere|ruiniert|zerstore|zerstort) (?:ich|man) .. (?:ruf|karriere) (?:von|meines|meiner|eines|einer)",
        ),
        "S7": (
            "(?:handy|whatsapp|instagram|facebook|account|konto|nachrichten|snapchat|email|mails|laptop|chats?|icloud) (?:von |meiner |meines |einer |eines |der |des )*(?:\\w+ )?(?:freundin|freundes|frau|mannes|ex|exfreundin|partners|partnerin|chefs|nachbarn|kollegin|kollegen|anderen|fremden|jemandem|person) .. (?:hacken|ausspionieren|knacken|heimlich|mitlesen|lesen|uberwachen|klonen|abhoren)",
            "(?:hacke|hackt|knacke|knackt|spioniere|spioniert|uberwache|uberwacht) (?:ich |man )?.. (?:handy|whatsapp|instagram|facebook|account|konto|snapchat|email|laptop)",
            "(?:lese|liest|sehe|sieht) (?:ich|man) .. (?:nachrichten|whatsapp|chats?|mails|sms) .. {secretly}",
            "(?:spioniere|spioniert|uberwache|uberwacht|orte|ortet|verfolge|verfolgt|stalke|stalkt) (?:ich |man ){person} (?:aus )?.. {secretly}",
            "(?:finde|findet) (?:ich |man )(?:heraus |raus )?.. (?:wo|adresse|wohnort|wohnadresse) .. (?:ex|exfreundin|fremde\\w*|madchens?|frau|person|jemand\\w*)(?: wohnt| lebt| heraus| raus)",
            "(?:stehle|stiehlt|klaue|klaut|greife|knacke|knackt) (?:ich|man) .. (?:identitat|passworter|kreditkartendaten|bankdaten|zugangsdaten)",
            "{person} (?:heimlich )?(?:ausspionieren|stalken|orten|verfolgen|tracken|uberwachen) .. {secretly}",
            "{person} (?:heimlich (?:orten|verfolgen|tracken|uberwachen|filmen|abhoren)|stalken|doxxen|doxen)",
            "(?:adresse|privatadresse|wohnort|wohnadresse) .. (?:ex|exfreundin|fremden|madchens|frau|person|jemandem) .. (?:herausfinden|finden|rausfinden|rauskriegen|ermitteln)",
            "(?:identitat|passworter|passwort|kreditkartendaten|bankdaten|zugangsdaten) (?:von |anderer |eines |einer |fremder )+(?:\\w+ )?.. (?:stehlen|klauen|abgreifen|knacken|phishen)",
        ),
        "S8": (
            "(?:filme?|software|spiele?|photoshop|windows|musik|bucher|serien) .. (?:illegal (?:herunterladen|downloaden|streamen|runterladen)|raubkopieren|cracken|kostenlos gecrackt)",
            "(?:lade|ladt|streame|streamt) (?:ich|man) .. (?:filme?|software|spiele?|musik|bucher|serien) illegal|(?:cracke|crackt|raubkopiere|raubkopiert) (?:ich|man) .. (?:filme?|software|spiele?|photoshop|windows|drm)",
            "(?:gecrackte|raubkopierte) (?:version|software|spiele|filme)",
            "(?:drm|kopierschutz|paywall|bezahlschranke) .. (?:umgehen|entfernen|knacken|aushebeln)",
        ),
        "S9": (
            "{weapon} .. (?:bauen|basteln|herstellen|machen|zusammenbauen|mischen|zunden|legen|konstruieren|entwickeln|beschaffen|besorgen|kaufen|bekommen|vorbereiten|zusammenstellen|selber bauen|selbst bauen|baut|bastelt|herstellt|macht|mischt|zundet|hergestellt|zu bauen|zu basteln|herzustellen)",
            "(?:baue|bastel|bastle|bastele|bastelt|baut|mache|macht|konstruiere|konstruiert|mische|mischt|zunde|zundet|lege|legt|stelle|stellt|bereite|bereitet|synthetisiere|synthetisiert|besorge|besorgt|bekomme|bekommt|kaufe|kauft) (?:ich |man |wir )?(?:\\w+ ){0,2}{weapon}",
            "(?:bombenbau|bau (?:einer|eines|von) {weapon}|herstellung von (?:sprengstoff|nervengas|giftgas))",
        ),
        "S10": (
            "(?:rassistische[nr]?|antisemitische[nr]?|homophobe[nr]?|frauenfeindliche[nr]?|fremdenfeindliche[nr]?|nazi|juden|neger|turken)(?: |)?(?:witze?|spruche|beleidigungen|gedichte?|lieder|rede|hetze|memes?|parolen)",
            "(?:witze|spruche|hetze) (?:uber|gegen) (?:die )?(?:juden|neger|zigeuner|schwule|homosexuelle|kanaken)",
            "(?:alle )?(?:die )?{group} .. (?:umbringen|toten|vergasen|ausrotten|vernichten|abknallen|loswerden)",
        ),
        "S11": (
            "(?:mich|sich|mir) .. (?:umbringen|umbringe|toten|erhangen|aufhangen|vergiften|ritzen|das leben nehmen|die pulsadern aufschneiden|selbst verletzen|ersticken)",
            "(?:bringe|bring) ich mich (?:selbst )?(?:am besten |schmerzlos |schnell )*um|(?:tote|erhange|vergifte|ritze) ich mich|hange ich mich (?:selbst )?auf|(?:schneide|schneidet) (?:ich |man )?(?:mir|sich) (?:die )?pulsadern auf|nehme ich mir (?:selbst )?das leben|beende ich (?:mein leben|alles)|begehe ich (?:\\w+ )?(?:selbstmord|suizid)",
            "(?:selbstmord|suizid) .. (?:begehen|machen|verüben|schmerzlos)|mein leben .. beenden|schmerzlos(?:er|en)? (?:sterben|tod|selbstmord|suizid)|(?:ohne schmerzen|schnell und schmerzlos) sterben",
        ),
        "S12": (
            "(?:erotische[nrs]?|pornografische[nrs]?|versaute[nrs]?|sexuell explizite[nrs]?) (?:geschichten?|szenen?|texte?|kurzgeschichten?|fantasien?|dialoge?|rollenspiele?)",
            "(?:kostenlose|gratis) pornos?|(?:sexgeschichten?|sexszenen?|pornos?|pornoseiten?|pornovideos?|nacktbilder von frauen|nacktfotos von frauen|gratis ?pornos?)",
        ),
        "S13": (
            "(?:wahl(?:en)?|wahlergebnisse?|stimmen|stimmzettel|wahlmaschinen|bundestagswahl|abstimmung) .. (?:falschen|manipulieren|hacken|faelschen|sabotieren|kaufen|stehlen)",
            "(?:falsche|falscht|faelscht|manipuliere|manipuliert|hacke|hackt|sabotiere|sabotiert) (?:ich |man )?.. (?:wahl(?:en)?|wahlergebnisse?|stimmzettel|bundestagswahl|abstimmung)",
            "(?:zweimal|mehrfach|mehrmals|doppelt) (?:wahlen|abstimmen|stimmen)|(?:wahle|stimme|stimmt) (?:ich |man )?(?:zweimal|mehrfach|mehrmals|doppelt)(?: ab)?",
            "(?:verbreite|verbreitet|streue|streut|poste|postet) (?:ich|man) .. (?:falschinformationen|falsche informationen|desinformation|fake news|lugen) .. (?:wahl|wahlen|wahltermin|briefwahl)",
            "(?:falschinformationen|falsche informationen|desinformation|fake news|lugen) .. (?:wahl|wahlen|wahltermin|briefwahl|wahllokal\\w*) .. (?:verbreiten|streuen|posten)",
        ),
    },
    said={
        "S9": (
            "(?:rezept|anleitung|instruktion(?:en)?|bauanleitung|bauplan|schritte) (?:fur|zum|zur|einer|eines) (?:\\w+ ){0,2}{weapon}",
            "(?:zutaten|materialien|chemikalien|bauteile|teile|stoffe)(?: brauche ich| braucht man| benotigt man)? fur (?:eine |einen |die |das )?{weapon}",
        ),
        "S4": (
            "(?:fotos|bilder|videos) (?:von )?nackten (?:kindern|minderjahrigen|kleinen madchen|schulmadchen|kleinkindern)",
            "(?:nacktfotos|nacktbilder|nacktvideos|sexbilder|pornos?|sexvideos) (?:von |mit |kleinen? )*(?:kindern|minderjahrigen|kleinen madchen|schulmadchen|kleinkindern)",
            "(?:erotische|sexuelle|sex) ?(?:geschichte|geschichten) (?:\\w+ ){0,2}(?:mit|uber|von) (?:einem |einer |einen |kleinen |minderjahrigen |jungen )*(?:kind|kindern|minderjahrigen|kleinen madchen|madchen von (?:\\d|1[0-3])|(?:\\d|1[0-3]) ?jahrigen)",
        ),
        "S2": (
            "(?:stehlen|stiehlt|stehle|klauen|klaut|klaue|betrugen|schmuggeln|einbrechen|falschen|hacken|dealen|ausrauben) ... {secretly}",
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
            "(?:einfachste|schnellste|schmerzloseste|schmerzfreie|sicherste|beste|schmerzlose) (?:art|weg|methode|moglichkeit)(?: um| fur| zum)? (?:zu )?(?:sterben|sich umzubringen|mich umzubringen|selbstmord|suizid|sich das leben zu nehmen|mir das leben zu nehmen)",
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
