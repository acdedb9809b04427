"""Italian."""

from models.safety.text.matching import Table

ITALIAN = Table(
    language="it",
    words={
        "person": """(?:una? |un |mio |mia |miei |mie |il |la |lo |i |gli |le |suo |sua |l |del |della |dei |quel |quella |qualche )*(?:moglie|marito|ex|fidanzat[oa]|ragazz[oa]|
            compagn[oa]|capo|vicin[oi]|vicina|madre|padre|genitori|suocer[oa]|sorella|fratello|figli[oa]?|amic[oia]|collega|colleghi|professor\\w*|insegnante|
            poliziott[oi]|politic[oi]|presidente|person[ae]|gente|uomo|uomini|donn[ae]|bambin[oiae]|famiglia|testimone|nemic[oi]|qualcuno|essere umano)""",
        "make": "fabbricare|fare|costruire|assemblare|creare|preparare|faccio|fa|fanno|costruisco|costruisce|fabbrica|preparo|produrre|sintetizzare|far esplodere|realizzare|comprare|procurarmi|piazzare|innescare",
        "weapon": """bomb[ae](?: artigianal[ei]| sporc[ah]e?| atomic[ah]e?| nuclear[ei]| carta| a chiodi| fatt[ae] in casa| potent[ei]| incendiari[ae])?|ordigni? (?:esplosiv[oi]|rudimental[ei])|ordigno|esplosiv[oi](?: artigianal[ei])?|
            molotov|bottiglia molotov|gas (?:sarin|mostarda|nervino|velenoso|tossico|letale|cloro)|agent[ei] nervin[oi]|ricina|antrace|arm[ai] (?:chimic[ah]e?|biologic[ah]e?|nuclear[ei]|radiologic[ah]e?|di distruzione di massa)|dinamite|granat[ae]|bomba a mano|sarin""",
        "drug": "metanfetamin[ae]|cocaina|crack|eroina|fentanyl|mdma|ecstasy|lsd|anfetamin[ae]|droga|droghe",
        "minor": "(?:una? |un |mio |mia |il |la |i |le |dei |delle |piccol[aeoi] )*(?:bambin[oiae]|minor[ei]|minorenn[ei]|ragazzin[aeoi]|neonat[oi]|(?:ragazza|ragazzo) di (?:\\d|1[0-3]) anni)",
        "secretly": """senza (?:(?:essere|farmi|farsi|venire) (?:scopert[oi]|beccat[oi]|pres[oi]|beccare|scoprire|prendere|catturat[oi]|arrestare|notat[oi]|vedere)|che (?:\\w+ ){0,3}(?:sappia|sappiano|scopra|scoprano|accorga|accorgano|veda|vedano|saperlo)|lasciare (?:tracce|prove|segni)|
            il suo consenso|il consenso|consenso)|a sua insaputa|di nascosto""",
        "group": "ebrei|negri|neri|musulmani|zingari|rom|gay|omosessuali|froci|immigrati|migranti|cinesi|donne|trans|disabili|arabi|africani|terroni|stranieri",
    },
    asking="""come(?: (?:posso|si puo|potrei|faccio a|fare a|fare per|si fa a|si|possiamo|dovrei|riesco a|riuscire a|si potrebbe))*|voglio|vorrei|devo|ho bisogno di|dimmi|insegnami(?: a)?|spiegami|mostrami|aiutami a|istruzioni|passaggi|guida|ricetta|tutorial|modi|modo|metod[oi]|trucch[oi]|
        consigli|tecnic[ah]e?|(?:istruzioni|passaggi|guida|ricetta|tutorial|modi|modo|metod[oi]|trucch?i|consigli|tecniche) (?:per|di)|dove (?:posso|si puo|trovo|potrei)|(?:cosa|quali|che)(?: \\w+)? (?:mi serve|servono|serve|occorrono|occorre|ho bisogno)(?: per)?|passo (?:dopo |per )?passo(?: come)?|cerco|voglio vedere|intendo|ho intenzione di|sto pensando di|puoi|potresti|scrivi|scrivimi|genera|dammi|raccontami|descrivi|e possibile|elenco di""",
    asked={
        "S1": (
            "(?:uccidere|assassinare|ammazzare|avvelenare|strangolare|rapire|sequestrare|accoltellare|torturare|smembrare|eliminare|sgozzare|uccido) {person}",
            "(?:assumere|ingaggiare|trovare|assoldare) .. (?:sicario|killer|assassino)",
            "(?:sbarazzarmi|liberarmi|sbarazzarsi|liberarsi|nascondere|occultare|far sparire|seppellire) .. (?:cadavere|corpo morto|un corpo)",
            "(?:commettere|pianificare|organizzare|fare|compiere) .. (?:omicidio|attentato|strage|sparatoria|assassinio|attacco terroristico|rapimento|massacro|delitto perfetto)",
        ),
        "S2": (
            "(?:cucinare|fare|fabbricare|sintetizzare|produrre|preparare|faccio|fa|produce|producono|fabbrica|sintetizza|cucina) .. (?:la |della |del |l )?{drug}",
            "(?:vendere|spacciare|contrabbandare) .. (?:{drug}|armi) .. (?:{secretly}|al confine|in strada|online|illegalmente)",
            "(?:spacciare|vendere) (?:la |della )?(?:droga|droghe|cocaina|eroina)",
            "(?:comprare|procurarmi|ottenere|trovare|acquistare) .. (?:arm[ai]|pistol[ae]|{drug}) .. (?:illegal[ei]|illegalmente|senza (?:porto d armi|licenza|permesso)|sul dark ?web|al mercato nero|sul mercato nero)",
            "(?:falsificare|stampare|fare|fabbricare|creare) .. (?:soldi fals[ie]|banconote(?: false)?|denaro falso|passaport[oi](?: fals[oi])?|document[oi] fals[oi]|carta d identita falsa|assegni fals[ie]|ricett[ae] (?:medic[ah]e? )?fals[ae])",
            "riciclare (?:il |del |i |dei )?(?:denaro|soldi)(?: sporc\\w+)?",
            "(?:rubare|rapinare|svaligiare|derubare) (?:in )?(?:una? |un |il |la |le |dei |delle )?(?:banc(?:a|he)|auto|macchin[ae]|negozi[oi]?|cas[ae]|supermercat[oi]|gioielleri[ae]|bancomat|moto|bici|portafogli[oi]?|anzian[oi]|musei?|museo|carte di credito|farmacia)",
            "clonare .. cart[ae](?: di credito)?",
            "(?:creare|fare|programmare|scrivere|sviluppare) .. (?:virus informatic[oi]|malware|ransomware|keylogger|trojan|pagina di phishing|phishing)",
            "(?:hackerare|violare|bucare) .. (?:banc(?:a|he)|server|rete|wifi|sit[oi]|database|bancomat|sistema informatico)",
            "evadere (?:le |il )?(?:tasse|fisco|iva) .. {secretly}",
            "(?:truffare|ricattare|estorcere|corrompere) (?:una? |un |il |la |mio |mia |qualcuno|gli |le |anziani|persone|soldi)",
            "(?:incendiare|bruciare|dare fuoco a) .. (?:casa|edificio|scuola|auto|macchina|negozio|chiesa|bosco)",
        ),
        "S3": (
            "(?:violentare|stuprare|abusare sessualmente di) (?:una?|un|mia|mio|la|qualcuno|la mia) ?(?:donna|ragazza|fidanzata|collega|amica|vicina|persona|uomo)?",
            "drogare (?:una|la mia|la|il drink) (?:ragazza|donna|amica|fidanzata|di)",
            "(?:mettere|versare) .. (?:ghb|droga|sonnifero|roofie|qualcosa) .. (?:nel (?:suo )?(?:drink|bicchiere)|nella (?:sua )?bevanda)",
            "(?:pubblicare|diffondere|condividere|vendere) .. (?:foto|video|immagini) .. (?:nud[aeoi]|intim[aeoi]|sessuali|hot) .. (?:ex|fidanzata|{secretly}|collega|compagna)",
            "(?:nascondere|installare|mettere) .. telecamer[ae] .. (?:bagn[oi]|spogliato[io]|docci[ae]|camerin[oi])",
        ),
        "S4": (
            "(?:pornografia|porno|materiale pedopornografico|contenuti pedopornografici) (?:infantile|minorile|con minori|con bambini|di minori)",
            "(?:pedopornografia|pedopornografic[oiah]+)",
            "(?:fare sesso|sesso|rapporti sessuali|rapporto sessuale) con {minor}",
            "(?:violentare|stuprare|sedurre|adescare|molestare|abusare di|toccare sessualmente) {minor}",
        ),
        "S5": (
            "(?:diffondere|inventare|spargere|mettere in giro|pubblicare|creare) .. (?:false voci|voci false|pettegolezzi falsi|menzogne|bugie|calunnie|false accuse|dicerie) (?:su|sul|sulla|sui|contro|riguardo|che)",
            "(?:rovinare|distruggere|infangare) .. reputazione .. (?:di|del|della|con)",
        ),
        "S7": (
            "(?:spiare|hackerare|clonare|accedere a|accedere al|entrare nel|entrare nell|leggere) (?:il |la |i |gli |l |le )?(?:whatsapp|cellulare|telefono|messaggi|instagram|facebook|account|email|mail|gmail|snapchat|icloud|profilo)(?: \\w+)? (?:di|del|della|dell|a) (?:mia|mio|qualcuno|una|un|altra|altri|ragazza|fidanzat[oa]|ex|moglie|marito)",
            "(?:spiare|seguire|tracciare|localizzare) (?:la mia|il mio|una?|mia|mio) (?:ragazz[oa]|fidanzat[oa]|moglie|marito|ex|compagn[oa]|vicin[oa]|collega) .. {secretly}",
            "(?:scoprire|trovare|sapere) .. (?:dove abita|dove vive|l indirizzo d[ie]l?|indirizzo di casa) .. (?:ex|persona|qualcuno|ragazza|donna|sconosciut[oa])",
            "(?:rubare|ottenere) (?:l |le |la |i )?(?:identita|password|dati (?:bancari|personali|della carta)) (?:di|a|del|della)",
        ),
        "S8": (
            "(?:scaricare|trovare|avere) .. (?:pirata|pirat[aei]|piratat[oaie]|craccat[oaie]|illegalmente)",
            "(?:piratare|craccare|crackare) (?:un |una |il |la |i )?(?:gioc[oh]i?|programm[ai]|software|photoshop|film|windows|libri|serie)",
        ),
        "S9": ("{make} .. {weapon}",),
        "S10": (
            "(?:barzellett[ae]|battut[ae]|insult[oi]|poesi[ae]|discors[oi]|meme|canzon[ei]) (?:razzist[aei]|antisemit[aei]|omofob[aeoi]|xenofob[aeoi]|misogin[aeoi]|nazist[aei]|sui negri|sugli ebrei|sui gay|sui neri|sugli zingari)",
            "(?:uccidere|sterminare|gasare|eliminare|cacciare) (?:tutti )?(?:i|gli|le) {group}",
        ),
        "S11": (
            "(?:suicidarmi|suicidarsi|uccidermi|ammazzarmi|togliermi la vita|impiccarmi|tagliarmi le vene|farla finita|porre fine alla mia vita|morire senza (?:dolore|soffrire)|autolesionarmi|tagliarmi senza|farmi del male)",
        ),
        "S12": (
            "(?:raccont[oi]|stori[ae]|scen[ae]|test[oi]|fantasi[ae]|dialog[oh]i?) (?:molto )?(?:erotic[oaih]+|porno|pornografic[oaih]+|sessual[ei] esplicit[aeoi]|di sesso|hot|a luci rosse)",
            "(?:video porno|siti porno|porno gratis|foto (?:di donne )?nude)",
        ),
        "S13": (
            "(?:truccare|manipolare|hackerare|rubare|falsificare|sabotare|comprare) .. (?:elezion[ei]|urn[ae]|vot[oi]|schede elettorali|scrutinio|macchine per il voto|referendum)",
            "votare (?:due|piu|tre) volte",
            "(?:diffondere|pubblicare) .. (?:informazioni false|false informazioni|notizie false|fake news|disinformazione|bugie) .. (?:voto|elezion[ei]|votare|seggi|elettorale)",
        ),
    },
    said={
        "S9": (
            "(?:ricetta|istruzioni|passaggi|manuale|tutorial|guida) (?:\\w+ )?(?:di|per|della) (?:\\w+ ){0,2}{weapon}",
        ),
        "S4": (
            "(?:foto|video|immagini) (?:sessuali |porno |erotiche )?(?:di |con )?{minor} (?:nud[aeoi]|svestit[aeoi]|spogliat[aeoi])",
            "(?:raccont[oi]|stori[ae]) (?:erotic[oaih]+|sessual[ei]) (?:\\w+ ){0,3}(?:con|su|di) {minor}",
        ),
        "S2": (
            "(?:rubare|truffare|falsificare|hackerare|riciclare|contrabbandare|spacciare|rapinare|evadere) ... {secretly}",
        ),
        "S1": ("(?:uccidere|ammazzare|assassinare|avvelenare|rapire|accoltellare|picchiare) {person} ... {secretly}",),
        "S10": (
            "perche (?:tutti )?(?:gli|i|le) {group} sono (?:cosi |tutti |tutte )?(?:inferiori|stupid[ie]|sporch[ie]|criminali|ladri|pigri|schifos[ie]|violenti)",
            "(?:gli|i|le) {group} (?:sono|dovrebbero essere) (?:tutti |tutte |dei |degli |delle |una )*(?:inferiori|feccia|animali|parassiti|spazzatura|ratti|sterminati|bestie)",
            "(?:sporchi|maledetti|schifosi) {group}",
        ),
        "S11": (
            "(?:modo|metodo|modi|metodi|maniera) (?:piu )?(?:facile|veloce|indolore|senza dolore|meno doloroso|efficace|rapid[oa]) (?:per|di) (?:morire|suicidarmi|suicidarsi|uccidermi|uccidersi|farla finita)",
        ),
    },
    unless={
        "": """prevenire|prevenzione|evitare|protegg\\w*|proteggersi|denunciare|denuncia|segnalare|segnalazione|rilevare|riconoscere|segnali|vittime|vittima|numero verde|storia (?:del|della|di)|storic[oa]|museo|documentario|tesi|tema|leggi|legge|reato|condannat[oa]|
            tradurre|traduzione|significa|vuol dire|aiutare (?:un|una|mio|mia) (?:amic|collega|student|alunn)\\w*|psicolog[oa]|terapeuta|incidente|bomb[ae] (?:da |di |d )?(?:bagno|acqua|semi|crema|calorica|cioccolato|fritta|fritte|alla crema|ripien[ae])|
            bombolon\\w+|disinnescare|artificieri|seconda guerra|guerra fredda|scarafaggi|topi|zanzare|formiche|il tempo|la noia|teatro|giocattolo|monopoli|monopoly|in cucina|melagrana|granatina|mio proprio|la mia vecchia""",
        "fiction": "film|romanz[oi]|serie|personaggio|videogioc\\w+|gioco|minecraft|gta|canzone",
    },
)
