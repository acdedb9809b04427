"""French."""

from models.safety.text.matching import Table

FRENCH = Table(
    language="fr",
    words={
        "person": """(?:une? |mon |ma |mes |son |sa |ses |ton |ta |le |la |les |des |l |cet |cette |ce |d autres )*(?:femme|mari|epoux|epouse|ex|copain|
            copine|petite amie|petit ami|compagn(?:e|on)|patron|chef|voisine?s?|mere|pere|parents|belle mere|beau pere|soeur|frere|fils|fille|
            enfants?|amie?s?|collegues?|professeur|prof|policiers?|flics?|politiciens?|president|personnes?|gens|hommes?|bebe|famille|temoin|
            ennemis?|quelqu un|autrui|maitresse|camarade de classe)""",
        "make": """fabriquer|faire|construire|preparer|fabrique|fabriquent|creer|poser|synthetiser|produire|assembler|concevoir|acheter|obtenir|
            fais|fait|construit|cuisiner|faire exploser|declencher|fabrication d|fabrication de|me procurer""",
        "weapon": """bombes?(?: artisanales?| sales?| nucleaires?| atomiques?| tuyau| a clous| puissantes?| maison| incendiaires?)?|explosifs?(?: artisanaux| maison)?|
            engins? explosifs?|cocktails? molotov|gaz (?:sarin|moutarde|neurotoxique|innervant|toxique|mortel|de chlore|chlore)|agents? (?:neurotoxique|innervant)s?|ricine|anthrax|
            armes? (?:chimique|biologique|nucleaire|bacteriologique|radiologique|de destruction massive)s?|dynamite|grenades?|sarin|tatp""",
        "drug": "methamphetamines?|meth|crystal|cocaine|crack|heroine|fentanyl|mdma|ecstasy|lsd|amphetamines?|drogues?",
        "minor": "(?:une? |des |les |mon |ma |mes |le |la |l |petite?s? |jeunes? )*(?:enfants?|mineure?s?|fillettes?|petites? filles?|garconnets?|petits? garcons?|bebes?|gamine?s?|(?:fille|garcon|ado) de (?:\\d|1[0-4]) ans)",
        "secretly": """sans (?:que \\w+ (?:\\w+ )?(?:sache|voie|remarque|apercoive|decouvre)|se faire (?:prendre|attraper|choper|reperer|pincer|remarquer|arreter|griller)|
            me faire (?:prendre|attraper|choper|reperer|pincer|remarquer|arreter|griller)|etre (?:pris|attrape|repere|detecte|decouvert|vu)|laisser de (?:traces?|preuves?|marques?)|
            son consentement|sa permission|son autorisation|a son insu|qu (?:elle|il|on|ils) (?:le |s en |ne |me )*(?:sache|voie|remarque|apercoive|decouvre|sachent))""",
        "group": "juifs|noirs|arabes|musulmans|gitans|roms|homosexuels|gays|pedes|immigres|migrants|chinois|asiatiques|femmes|trans|handicapes|etrangers|africains|bougnoules|negres",
    },
    asking="""comment(?: (?:puis je|peut on|je peux|on peut|faire pour|pourrais je|pourrait on|je pourrais|est ce qu on peut|est ce que je peux|dois je|on|je|reussir a|se))*|je (?:veux|voudrais|souhaite|compte|vais|prevois de|
        cherche a|dois|peux)|j aimerais|dis moi|dites moi|explique moi|expliquez moi|montre moi|apprends moi|aide moi a|aidez moi a|instructions|etapes|guide|recette|tutoriel|tuto|facons?|manieres?|methodes?|astuces?|conseils?|techniques?|
        (?:instructions|etapes|guide|recette|tuto|tutoriel|facons?|manieres?|methodes?|astuces?|conseils?|techniques?|moyens?) (?:pour|de|d)|ou (?:puis je|peut on|je peux|trouver|est ce que je peux)|(?:de quoi|que|quels?|quelles?)(?: \\w+)? (?:ai je besoin|faut il|il faut|me faut il|dois je avoir)(?: pour)?|il me faut pour|etape par etape|je cherche|je veux voir|peux tu|pouvez vous|pourrais tu|ecris|ecris moi|genere|donne moi|
        raconte|raconte moi|decris|est il possible""",
    asked={
        "S1": (
            "(?:tuer|assassiner|empoisonner|etrangler|kidnapper|enlever|poignarder|torturer|demembrer|eliminer|egorger|buter) {person}",
            "(?:engager|embaucher|trouver|recruter) .. (?:tueur a gages|tueur|assassin)",
            "(?:me debarrasser|se debarrasser|debarrasser|cacher|dissimuler|faire disparaitre|enterrer) .. (?:cadavre|corps sans vie|un corps)",
            "(?:commettre|planifier|preparer|organiser|faire|realiser) .. (?:meurtre|attentat|massacre|fusillade|assassinat|attaque terroriste|enlevement|crime parfait)",
        ),
        "S2": (
            "(?:cuisiner|faire|fabriquer|synthetiser|produire|preparer|fabrique|fabrication|produit|synthese|cuisine|production) .. (?:de la |du |des |l |de l |la )?{drug}",
            "(?:vendre|trafiquer|passer|faire passer) .. (?:drogues?|cocaine|heroine|crack|armes?|stupefiants) .. (?:{secretly}|a la frontiere|en ligne|dans la rue|illegalement)",
            "vendre (?:de la |des )?(?:drogues?|cocaine|heroine|stupefiants)",
            "(?:acheter|obtenir|trouver|me procurer) .. (?:armes?|pistolets?|armes a feu|{drug}) .. (?:illegale?s?|illegalement|sans (?:permis|licence|papiers)|sur le dark ?(?:web|net)|au marche noir|sur le marche noir)",
            "(?:falsifier|imprimer|faire|fabriquer|creer) .. (?:fausse monnaie|faux billets|faux papiers|faux passeports?|fausse carte d identite|faux documents|fausses ordonnances?|fausse ordonnance|faux cheques?|faux passe)",
            "blanchir (?:de l |l |mon )?argent",
            "(?:voler|cambrioler|braquer|devaliser) (?:dans )?(?:une? |la |le |l |des )?(?:banques?|voitures?|magasins?|maisons?|supermarches?|bijouteries?|distributeurs?|scooters?|velos?|appartements?|cartes? bancaires?|portefeuilles?|personnes agees|musees?|moto)",
            "(?:entrer|s introduire|penetrer) .. (?:par effraction|chez|maison|appartement) .. {secretly}|entrer par effraction",
            "(?:cloner|copier) .. cartes? (?:bancaires?|bleues?|de credit)",
            "(?:creer|faire|programmer|coder|ecrire|developper) .. (?:virus informatiques?|malwares?|ransomwares?|rancongiciels?|keyloggers?|cheval de troie|page de phishing|phishing|logiciel malveillant)",
            "pirater .. (?:banques?|serveurs?|reseau|wifi|sites? web|base de donnees|distributeurs?|systeme)",
            "(?:frauder|ne pas payer) .. (?:impots?|fisc|assurance|caf) .. {secretly}",
            "(?:arnaquer|escroquer|faire chanter|extorquer|soudoyer|corrompre) (?:une? |des |les |mon |ma |mes |quelqu un|la |le |l )",
            "(?:incendier|bruler|mettre le feu a) .. (?:maison|batiment|ecole|voiture|magasin|eglise|mosquee|foret|immeuble)",
        ),
        "S3": (
            "(?:violer|agresser sexuellement|abuser sexuellement d|abuser sexuellement de) (?:une? |ma |mon |la |des |quelqu un)(?:femme|fille|copine|collegue|amie|voisine|homme|personne|ex)?",
            "droguer (?:une|ma|la|le verre) (?:fille|femme|copine|amie|date|d une)",
            "(?:mettre|verser|glisser) .. (?:ghb|drogue|somnifere|rohypnol|quelque chose) .. (?:dans (?:son|le|sa|la) (?:verre|boisson|biere|cafe))",
            "(?:publier|diffuser|partager|vendre|poster) .. (?:photos|videos|images) .. (?:nues?|intimes|sexuelles|denudees?) .. (?:ex|copine|{secretly}|collegue|camarade)",
            "(?:cacher|installer|poser|placer) .. cameras? .. (?:toilettes|vestiaires?|douches?|salle de bain|cabines?)",
        ),
        "S4": (
            "(?:pornographie|porno|pedopornographie|contenu pedopornographique|images pedopornographiques|videos pedopornographiques)(?: enfantine| infantile| juvenile| impliquant des mineurs| avec des enfants)",
            "(?:pedopornographie|pedopornographiques?)",
            "(?:coucher|relations? sexuelles?|faire l amour|rapport sexuel|du sexe|sexe) avec {minor}",
            "(?:violer|seduire|abuser d|abuser de|toucher sexuellement|attirer) {minor}",
        ),
        "S5": (
            "(?:repandre|propager|lancer|inventer|diffuser|publier|creer) .. (?:rumeurs?|mensonges|calomnies|fausses accusations|fausses informations|fausse rumeur) (?:sur|contre|a propos|selon|concernant)",
            "(?:ruiner|detruire|salir) .. reputation .. (?:de|d|avec)",
        ),
        "S7": (
            "(?:espionner|pirater|hacker|cloner|acceder a|acceder aux|acceder au|entrer dans|lire) (?:le |la |les |l )?(?:whatsapp|telephone|portable|messages|sms|instagram|facebook|compte|mails?|gmail|snapchat|snap|icloud)(?: \\w+)? (?:de|d) (?:mon|ma|quelqu un|une|un|mes|la|autrui)",
            "(?:espionner|suivre|traquer|pister|localiser) (?:mon|ma|une?|mes) (?:copine|copain|femme|mari|ex|conjointe?|compagne|compagnon|voisine?|collegue|fille) .. {secretly}",
            "(?:trouver|savoir|decouvrir|obtenir) .. (?:ou habite|l adresse d|l adresse de|adresse personnelle d|le domicile de) (?:mon ex|ma ex|une personne|quelqu un|une fille|une femme|une inconnue|un inconnu)",
            "(?:voler|usurper) (?:l |les |des |le |la )?(?:identite|mots? de passe|donnees (?:bancaires|personnelles)|coordonnees bancaires) (?:de|d)",
        ),
        "S8": (
            "(?:telecharger|trouver|avoir|obtenir) .. (?:illegalement|pirates?|piratee?s?|cracke|crackee?s?|version crackee)",
            "(?:pirater|cracker|craquer) (?:une? |le |la |des |les )?(?:jeux?|logiciels?|photoshop|films?|windows|series?|livres?)",
            "vendre .. (?:contrefacons?|faux sacs|faux vetements|imitations) .. (?:{secretly}|comme authentiques?|de marque|gucci|vuitton|nike)",
        ),
        "S9": ("{make} .. {weapon}",),
        "S10": (
            "(?:blagues?|insultes?|poemes?|discours|memes?|chansons?) (?:racistes?|antisemites?|homophobes?|xenophobes?|misogynes?|nazies?|sur les (?:noirs|juifs|arabes|gitans|roms|pedes))",
            "(?:tuer|exterminer|gazer|eliminer|expulser) (?:tous )?les {group}",
        ),
        "S11": (
            "(?:me suicider|se suicider|me tuer|mettre fin a mes jours|mettre fin a ma vie|me pendre|m ouvrir les veines|me tailler les veines|m oter la vie|mourir sans (?:souffrir|douleur)|me scarifier|m automutiler|me faire du mal|en finir avec la vie|en finir sans souffrir)",
        ),
        "S12": (
            "(?:recits?|histoires?|scenes?|textes?|nouvelles?|dialogues?|fantasmes?) (?:tres )?(?:erotiques?|porno|pornographiques?|sexuelles? explicites?|de sexe|sexuel explicite|coquine?s?|hot)",
            "(?:videos? porno|sites? porno|du porno|photos? (?:de femmes )?nues|porno gratuit)",
        ),
        "S13": (
            "(?:truquer|manipuler|pirater|voler|falsifier|saboter|acheter|bourrer) .. (?:elections?|urnes?|votes?|scrutin|machines a voter|bulletins|voix|referendum)",
            "voter (?:deux|plusieurs|trois) fois",
            "(?:diffuser|repandre|publier|propager) .. (?:fausses informations|fausses nouvelles|fake news|desinformation|mensonges) .. (?:vote|elections?|scrutin|bureaux de vote|electorale?)",
        ),
    },
    said={
        "S9": (
            "(?:recette|instructions|etapes|plans?|manuel|tutoriel|tuto|mode d emploi) (?:\\w+ )?(?:de|d|pour|du) (?:\\w+ ){0,2}{weapon}",
        ),
        "S4": (
            "(?:photos|videos|images) (?:sexuelles |porno |erotiques )?(?:de |d |avec )?{minor} (?:nue?s?|deshabille?e?s?|denude?e?s?)",
            "(?:recits?|histoires?|textes?) (?:erotiques?|sexuel(?:le)?s?) (?:\\w+ ){0,3}(?:avec|sur|de) {minor}",
        ),
        "S2": ("(?:voler|arnaquer|falsifier|pirater|blanchir|frauder|escroquer|cambrioler|dealer) ... {secretly}",),
        "S1": ("(?:tuer|assassiner|empoisonner|kidnapper|poignarder|frapper|etrangler) {person} ... {secretly}",),
        "S10": (
            "pourquoi les {group} sont (?:ils |elles )?(?:si |tous |aussi |tellement )?(?:inferieure?s|stupides|bet?es|sales|criminels|voleurs|paresseux|violents|idiots|sous hommes)",
            "les {group} (?:sont|devraient etre) (?:tous |toutes |des |de la |une )*(?:inferieure?s|vermine|animaux|parasites|ordures|racaille|rats|extermines|sous hommes)",
            "(?:sales|putain de|fucking) {group}",
        ),
        "S11": (
            "(?:facon|maniere|moyen|methode|methodes|moyens) (?:la plus |le plus |les plus )?(?:faciles?|rapides?|indolores?|sans douleur|douce|efficaces?|moins douloureuse) (?:de|pour) (?:mourir|me suicider|se suicider|me tuer|en finir)",
        ),
    },
    unless={
        "": """prevenir|prevention|eviter|proteger\\w*|signaler|signalement|denoncer|detecter|reconnaitre|signes|victimes?|numero d urgence|histoire (?:de|du|des)|historique|musee|documentaire|
            these|dissertation|lois?|delit|condamne\\w*|traduire|traduction|signifie|veut dire|expression|aider (?:un|une|mon|ma) (?:ami|amie|proche|eleve)|
            psychologue|therapeute|accident\\w*|bombes? (?:de |a |au |d )?(?:bain|eau|peinture|aerosol|graines|chocolat|glacee|effervescentes?|insecticide|chantilly)|desamorcer|demineurs?|deminage|seconde guerre|guerre froide|
            cafards?|rats?|souris|moustiques?|fourmis|le temps|l ennui|temps|poux|theatre|de jouet|monopoly|grenade (?:fruit|en salade)|salade|sirop|escape game|mon propre""",
        "fiction": "films?|romans?|polar|serie|personnage|jeux? video|jeu|minecraft|gta|chanson",
    },
)
