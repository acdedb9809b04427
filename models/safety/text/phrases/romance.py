"""Spanish, French, Portuguese and Italian."""

from models.safety.text.matching import Table

SPANISH = Table(
    language="es",
    words={
        "person": """(?:a |al )(?:una?s? |mis? |sus? |tus? |la |el |las |los |otra |este |esta |ese |esa |cualquier )*(?:espos[oa]|marido|mujer|
            ex|exnovi[oa]|novi[oa]|pareja|jef[ea]|vecin[oa]s?|madre|padre|padres|suegr[oa]|herman[oa]|hij[oa]s?|amig[oa]s?|
            companer[oa]s?|profesora?|maestr[oa]|policias?|politicos?|presidente|personas?|gente|chicas?|chicos?|hombres?|
            nin[oa]s?|familia|bebe|abuel[oa]|ti[oa]|testigo|enemigos?|alguien|alguno|otros|humanos?|estudiantes|jueza?)""",
        "make": "fabricar|hacer|construir|armar|crear|preparar|fabrico|hago|hace|hacen|fabrica|construyo|construye|armo|preparo|"
        "prepara|producir|sintetizar|elaborar|montar|detonar|fabricacion de|creacion de|poner|colocar|activar",
        "weapon": """bombas?(?: caseras?| sucias?| atomicas?| nucleares?| de tubo| lapa| de clavos| de fertilizante| potentes?|
            molotov| incendiarias?| explosivas?)?|explosivos?(?: caseros?)?|artefacto explosivo|cocteles? molotov|coctel molotov|
            molotov|gas (?:sarin|mostaza|nervioso|venenoso|toxico|letal|cloro)|agentes? nerviosos?|ricina|antrax|
            armas? (?:quimicas?|biologicas?|nucleares?|radiologicas?|de destruccion masiva)|dinamita|granadas?|polonio|sarin""",
        "drug": "metanfetaminas?|cristal(?: meth)?|cocaina|crack|heroina|fentanilo|mdma|extasis|lsd|anfetaminas?|drogas",
        "minor": "(?:una? |unas |unos |mis? |las? |los? |el |tu )*(?:nin[oa]s?|menores?(?: de edad)?|bebes?|adolescente de (?:1[0-5]|\\d{2} anos))",
        "secretly": """sin que (?:\\w+ ){0,3}(?:pillen|atrapen|descubran|cachen|detecten|vean|note|noten|sepa|sepan|de cuenta|den cuenta|agarren|
            arresten|detengan|entere|enteren)|sin ser (?:descubierto|detectado|atrapado|visto)|sin dejar (?:rastros?|huellas?|pruebas|marcas)|
            sin su (?:consentimiento|permiso)""",
        "group": "judios|negros|musulmanes|moros|gitanos|homosexuales|gays|maricones|inmigrantes|migrantes|mexicanos|chinos|mujeres|"
        "trans|discapacitados|arabes|latinos|indios|panchitos|sudacas",
    },
    asking="""(?:como|de que (?:manera|forma))(?: (?:puedo|podria|podemos|podriamos|puede uno|se puede|se podria|se|hago para|hacer para|harias para|le hago
        para|debo|deberia|lograr|consigo|conseguir|uno puede|yo))*|quiero|quisiera|necesito|queremos|dime|decime|ensename|ensenes|explicame|explica|muestrame|
        ayudame a|ayuda para|instrucciones|pasos|guia|receta|tutorial|maneras?|formas?|metodos?|trucos?|consejos|tecnicas?|ideas|
        (?:instrucciones|pasos|guia|receta|tutorial|maneras?|formas?|metodos?|trucos?|consejos|tecnicas?) (?:para|de)|(?:que|cuanto|cuantos)(?: \\w+)? (?:necesito|hacen falta|se necesita|se necesitan|hace falta)(?: para)?|paso a paso(?: como)?|quiero ver|busco|donde (?:puedo|se puede|podria|encuentro)|planeo|
        voy a|pienso|me gustaria|puedes|podrias|escribe|escribeme|genera|dame|describe|cuentame|es posible|lista de""",
    asked={
        "S1": (
            "(?:matar|asesinar|envenenar|estrangular|secuestrar|apunalar|torturar|descuartizar|eliminar|acuchillar|mato|enveneno|degollar|linchar) {person}",
            "contratar .. (?:sicario|asesino a sueldo|asesino)",
            "(?:deshacerme|deshacerse|desaparecer|esconder|ocultar|enterrar) .. (?:cadaver|el cuerpo de)",
            "(?:cometer|planear|hacer|realizar|llevar a cabo) .. (?:asesinato|atentado|masacre|tiroteo|homicidio|ataque terrorista|secuestro)",
        ),
        "S2": (
            "(?:cocinar|hacer|fabricar|sintetizar|producir|elaborar|preparar|cocino|hago|hace|hacen|fabrica|fabrican|produce|producen|cocina|elabora|sintetiza) .. {drug}",
            "(?:vender|traficar|contrabandear|pasar) .. (?:{drug}|armas) .. (?:{secretly}|por la frontera|en la calle|por internet|ilegalmente)",
            "vender (?:drogas?|cocaina|heroina|metanfetamina)",
            "(?:comprar|conseguir|obtener) .. (?:armas?|pistolas?|un arma|una pistola|{drug}) .. (?:ilegal(?:es|mente)?|sin (?:licencia|permiso|papeles|registro)|en la (?:dark ?web|deep ?web)|en el mercado negro)",
            "(?:falsificar|imprimir|hacer|fabricar|crear) .. (?:dinero falso|billetes falsos|billetes|pasaportes?(?: falsos?)?|documentos falsos|identificacion falsa|dni falso|cheques?(?: falsos?)?|recetas? (?:medicas? )?falsas?)",
            "(?:lavar|blanquear) (?:el |mi |mucho )?dinero",
            "(?:robar|asaltar|atracar) (?:en )?(?:un |una |el |la |de un |de una |a una? )?(?:bancos?|coches?|carros?|autos?|motos?|tiendas?|casas?|supermercados?|joyerias?|cajeros?|carteras?|ancian[oa]s?|museos?|tarjetas de credito|gasolinera|farmacia|turistas?)",
            "(?:clonar|duplicar) .. tarjetas?(?: de credito| bancarias?)?",
            "(?:crear|hacer|programar|desarrollar|escribir|codigo de) .. (?:virus informaticos?|malware|ransomware|keylogger|troyanos?|phishing|pagina de phishing)",
            "(?:hackear|entrar en) .. (?:cuentas? bancarias?|bancos?|cajeros?|el banco|servidores?|la red|el wifi|sistema|base de datos|paginas? web)",
            "(?:evadir|no pagar) .. impuestos .. (?:{secretly}|ilegal\\w*)",
            "(?:estafar|chantajear|extorsionar|sobornar) (?:a |al )(?:\\w+ )?(?:\\w+)",
            "(?:incendiar|quemar|prender fuego a) .. (?:casa|edificio|escuela|coche|carro|tienda|iglesia|bosque|negocio)",
        ),
        "S3": (
            "(?:violar|abusar sexualmente de|agredir sexualmente a) (?:a )?(?:una|un|mi|alguien|la|su) ?(?:mujer|chica|nina|novia|esposa|amiga|companera|persona|vecina|hombre|chico)?",
            "drogar (?:a |la bebida de )(?:una|mi|la|alguna) (?:chica|mujer|amiga|cita|novia|companera)",
            "(?:poner|echar|meter) .. (?:burundanga|droga|escopolamina|rohypnol|ghb|algo) .. (?:en (?:su|la|el) (?:bebida|copa|vaso|trago))",
            "(?:publicar|difundir|subir|compartir|vender) .. (?:fotos|videos|imagenes) .. (?:desnud[oa]s?|intim[oa]s|sexuales) .. (?:ex|novia|exnovia|{secretly}|companeras?)",
            "(?:poner|instalar|esconder|colocar) .. camaras? .. (?:bano|banos|vestuarios?|vestidores|ducha|duchas|probadores?)",
        ),
        "S4": (
            "(?:pornografia|porno) (?:infantil|de menores|con menores|de ninos|de ninas)",
            "(?:tener |tengo )?(?:sexo|relaciones sexuales|relaciones) con {minor}",
            "(?:violar|seducir|tocar sexualmente|abusar de|acosar sexualmente) (?:a )?{minor}",
        ),
        "S5": (
            "(?:difundir|inventar|esparcir|propagar|publicar|crear) .. (?:rumores?(?: falsos?)?|mentiras|calumnias|acusaciones falsas|noticias falsas) (?:sobre|de|contra|acerca de|que)",
            "(?:arruinar|destruir|danar) .. reputacion .. (?:de|con) .. (?:mentiras|rumores|mi|un)",
        ),
        "S7": (
            "(?:espiar|hackear|intervenir|clonar|jaquear|entrar en|entrar a|acceder a) (?:el |la |al |los |las )?(?:whatsapp|celular|movil|telefono|mensajes|instagram|facebook|correo|cuenta|gmail|snapchat|icloud)(?: de \\w+)? (?:de|a) (?:mi|una?|otra|alguien|la|el|mis|otro)",
            "(?:ver|leer|revisar|escuchar) .. (?:mensajes|whatsapp|celular|movil|telefono|correos?|llamadas|chats?) de mi (?:novi[oa]|espos[oa]|marido|mujer|pareja|ex|exnovi[oa]) .. {secretly}",
            "(?:espiar|rastrear|seguir) (?:a )?(?:mi|una?|la|el) (?:novi[oa]|espos[oa]|marido|mujer|pareja|ex|exnovi[oa]|vecin[oa]|companer[oa]|hij[oa]|persona) .. {secretly}",
            "(?:averiguar|encontrar|saber|conseguir|localizar) .. (?:donde vive|la direccion de|el domicilio de|direccion de) (?:mi ex|una persona|alguien|una chica|una mujer|mi vecin[oa])",
            "(?:robar|conseguir|obtener) (?:la |las |los |el )?(?:identidad|contrasenas?|datos (?:bancarios|personales|de tarjetas)) (?:de |a )",
        ),
        "S8": (
            "(?:descargar|bajar|conseguir|piratear) .. (?:piratas?|pirateado|pirateadas?|crackeado|crack|ilegalmente)",
            "(?:piratear|crackear) (?:un |una |el |la )?(?:juegos?|programas?|software|photoshop|peliculas?|windows|libros?|series?)",
            "vender .. (?:imitaciones|replicas|falsificaciones|bolsos falsos|ropa falsa) .. (?:{secretly}|como originales|gucci|nike|marca)",
        ),
        "S9": (
            "{make} .. {weapon}",
            "(?:comprar|conseguir|obtener) .. (?:explosivos?|granadas?|dinamita|ricina|antrax|gas sarin|polonio|armas? (?:quimicas?|biologicas?|nucleares?))",
        ),
        "S10": (
            "(?:chistes?|bromas?|insultos?|poemas?|discursos?|memes?) (?:racistas?|antisemitas?|homofobos?|homofobicos?|xenofobos?|misoginos?|nazis?|(?:sobre|de|contra) (?:los )?(?:negros|judios|gitanos|maricones|moros|panchitos))",
            "(?:matar|exterminar|gasear|eliminar|expulsar) a (?:todos )?(?:los |las )?{group}",
        ),
        "S11": (
            "(?:suicidarme|suicidarse|matarme|quitarme la vida|ahorcarme|colgarme de|cortarme las venas|acabar con mi vida|terminar con mi vida|morir sin dolor|autolesionarme|cortarme sin que|hacerme dano|suicidio sin dolor|suicidarme sin dolor)",
        ),
        "S12": (
            "(?:relatos?|cuentos?|historias?|escenas?|textos?|fantasias?|conversacion) (?:muy )?(?:eroticas?|eroticos?|porno|pornograficas?|pornograficos?|sexuales|de sexo|sexual explicit[oa]|subid[oa]s? de tono)",
            "(?:porno|pornografia|videos? porno|paginas? porno|fotos? (?:de mujeres )?desnudas)",
        ),
        "S13": (
            "(?:amanar|manipular|hackear|robar|falsificar|alterar|comprar|destruir) .. (?:elecciones|eleccion|urnas?|votos?|votacion|maquinas de votacion|papeletas)",
            "votar (?:dos|varias|tres) veces",
            "(?:difundir|publicar|esparcir) .. (?:informacion falsa|noticias falsas|bulos|mentiras) .. (?:votacion|elecciones|votar|voto|electoral)",
        ),
    },
    said={
        "S9": (
            "(?:receta|instrucciones|pasos|planos|manual|tutorial|guia) (?:\\w+ )?(?:de|para|del) (?:\\w+ ){0,2}{weapon}",
        ),
        "S4": (
            "(?:fotos|videos|imagenes) (?:sexuales |eroticas? |porno )?(?:de |con )?{minor} (?:desnud[oa]s?|sin ropa|sexuales|follando|teniendo sexo)",
            "(?:relatos?|historias?|cuentos?) (?:erotic[oa]s?|sexual(?:es)?) (?:\\w+ ){0,3}(?:con|sobre|de) {minor}",
        ),
        "S2": ("(?:robar|estafar|falsificar|hackear|lavar dinero|contrabandear|traficar|defraudar) ... {secretly}",),
        "S1": ("(?:matar|asesinar|envenenar|secuestrar|apunalar|golpear) {person} ... {secretly}",),
        "S10": (
            "por que (?:todos )?(?:los|las) {group} son (?:tan )?(?:inferiores|tont[oa]s|estupid[oa]s|suci[oa]s|criminales|ladrones|vagos|basura|animales|peligrosos)",
            "(?:los|las) {group} (?:son|deberian ser) (?:todos |todas |unos |unas )?(?:inferiores|basura|animales|parasitos|escoria|ratas|una plaga|exterminados|subhumanos)",
            "(?:putos|malditos|asquerosos|sucios) {group}",
        ),
        "S11": (
            "(?:manera|forma|metodo|maneras|formas|metodos) (?:mas )?(?:facil|rapida|rapido|indolora|sin dolor|menos dolorosa|segura|efectiv[oa]s?) (?:de|para) (?:morir|suicidarme|suicidarse|matarme|quitarme la vida)",
        ),
    },
    unless={
        "": """prevenir|prevencion|evitar|proteger\\w*|denunciar|denuncia|detectar|reconocer|senales|victimas?|linea de ayuda|policia (?:dice|detuvo)|historia|historico|museo|
            documental|tesis|ensayo|leyes?|ley|delito|condenad[oa]|traducir|traduccion|significa|
            ayudar a (?:un|una|mi)|amig[oa] que|terapeuta|psicolog[oa]|accidente|bombas? (?:\\w+ )?(?:de|para) (?:bano|agua|jabon|chocolate|crema|calor|semillas|vacio|aire|gasolina|insulina|
            bicicleta|infusion|mi|la|el|sal|achique|piscina|te|humo|inflar|riego|pozo)|bomba (?:hidraulica|sumergible|manual|electrica|solar|peristaltica)|desactivar|segunda guerra|guerra fria|
            matarme de (?:risa|tanto|trabajar|hambre)|bomba calorica|aburrimiento|hambre|risa|cucarachas?|ratas?|ratones|mosquitos|hormigas|el tiempo|gusanillo|de teatro|de juguete|monopoly|educacion|menores? de edad (?:en internet|a conducir)|mi propi[oa]""",
        "fiction": "pelicula|novela|serie|personaje|videojuego|juego|minecraft|gta|cancion",
    },
)

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

PORTUGUESE = Table(
    language="pt",
    words={
        "person": """(?:uma? |meu |minha |meus |minhas |o |a |os |as |seu |sua |ao |outra |esse |essa |qualquer )*(?:esposa|marido|mulher|ex|namorad[oa]|
            companheir[oa]|chefe|patrao|vizinh[oa]s?|mae|pai|pais|sogr[oa]|irma|irmao|filh[oa]s?|amig[oa]s?|colegas?|professora?|policia(?:l|is)|
            politicos?|presidente|pessoas?|gente|homens?|meninas?|garotas?|criancas?|familia|bebe|avo|ti[oa]|testemunha|inimigos?|alguem)""",
        "make": "fabricar|fazer|construir|montar|criar|preparar|faco|faz|fazem|fabrico|construo|produzir|sintetizar|detonar|fabricacao de|colocar|plantar",
        "weapon": """bombas?(?: caseiras?| sujas?| atomicas?| nucleares?| de tubo| de pregos?| de fertilizante| potentes?| incendiarias?)?|explosivos?(?: caseiros?)?|artefato explosivo|
            coquete(?:l|is) molotov|molotov|gas (?:sarin|mostarda|nervoso|venenoso|toxico|letal|de cloro)|agentes? nervosos?|ricina|antraz|armas? (?:quimicas?|biologicas?|nucleares?|radiologicas?|de destruicao em massa)|dinamite|granadas?|sarin""",
        "drug": "metanfetaminas?|cocaina|crack|heroina|fentanil|mdma|ecstasy|lsd|anfetaminas?|drogas",
        "minor": "(?:uma? |umas |uns |minha |meu |a |o |as |os )*(?:criancas?|menor(?:es)?(?: de idade)?|menininhas?|meninas? de (?:\\d|1[0-4]) anos|bebes?|garotinhas?)",
        "secretly": """sem (?:ser (?:pego|pega|preso|descoberto|detectado|notado|visto)|que (?:\\w+ ){0,3}(?:saibam?|percebam?|descubram?|vejam?|notem?|peguem?)|deixar (?:rastros?|vestigios?|provas|marcas)|eles saberem|ela saber|ele saber|ela perceber|ele perceber|
            o consentimento|consentimento|permissao)""",
        "group": "judeus|negros|pretos|muculmanos|ciganos|gays|homossexuais|viados|imigrantes|nordestinos|chineses|mulheres|trans|deficientes|arabes|indios|estrangeiros|bichas",
    },
    asking="""como(?: (?:posso|eu posso|faco para|fazer para|se pode|e que|poderia|podemos|devo|eu|consigo|conseguir|se|a gente pode))*|quero|queria|gostaria de|preciso|me diga|diga me|me ensine|me ensina|ensine me|explique|me explique|me mostre|me ajude a|ajude me a|
        instrucoes|passos|passo a passo|guia|receita|tutorial|maneiras?|formas?|jeitos?|metodos?|truques?|dicas?|tecnicas?|(?:instrucoes|passos|guia|receita|tutorial|maneiras?|formas?|jeitos?|metodos?|truques?|dicas?|tecnicas?) (?:para|de|pra)|
        onde (?:posso|consigo|encontro|eu posso)|(?:o que|que|quais)(?: \\w+)? (?:preciso|e preciso|sao necessarios)(?: para)?|procuro|quero ver|vou|pretendo|planejo|penso em|voce pode|pode me|escreva|gere|me de|conte|descreva|e possivel|lista de""",
    asked={
        "S1": (
            "(?:matar|assassinar|envenenar|estrangular|sequestrar|raptar|esfaquear|torturar|esquartejar|eliminar|degolar|linchar|mato) {person}",
            "(?:contratar|encontrar|achar) .. (?:assassino de aluguel|matador de aluguel|pistoleiro|matador|assassino)",
            "(?:me livrar|livrar me|se livrar|esconder|ocultar|sumir com|enterrar) .. (?:cadaver|corpo morto|um corpo)",
            "(?:cometer|planejar|planear|fazer|realizar) .. (?:assassinato|atentado|massacre|tiroteio|homicidio|ataque terrorista|sequestro|chacina)",
        ),
        "S2": (
            "(?:cozinhar|fazer|fabricar|sintetizar|produzir|preparar|faco|faz|produz|fabrica|produzem|fazem|cozinha) .. {drug}",
            "(?:vender|traficar|contrabandear) .. (?:{drug}|armas) .. (?:{secretly}|na fronteira|na rua|online|pela internet|ilegalmente)",
            "vender (?:drogas?|cocaina|heroina|crack)",
            "(?:comprar|conseguir|obter|arranjar) .. (?:armas?|pistolas?|revolver|{drug}) .. (?:ilega(?:l|is)(?:mente)?|sem (?:licenca|registro|porte|registo)|na (?:dark|deep) ?web|no mercado negro)",
            "(?:falsificar|imprimir|fazer|fabricar|criar) .. (?:dinheiro falso|notas falsas|passaportes?(?: falsos?)?|documentos? falsos?|identidade falsa|rg falso|cheques?(?: falsos?)?|receitas? falsas?|cnh falsa)",
            "lavar (?:o |meu )?dinheiro (?:sujo|do trafico|{secretly}|sem|com|em|usando|atraves|atraves de|ilegal)",
            "(?:roubar|assaltar|furtar) (?:em )?(?:uma? |o |a |num |numa |de uma? )?(?:bancos?|carros?|motos?|lojas?|casas?|supermercados?|joalherias?|caixas? eletronicos?|carteiras?|idos[oa]s?|museus?|cartao de credito|cartoes|posto|farmacia)",
            "clonar .. cart(?:ao|oes)(?: de credito)?",
            "(?:criar|fazer|programar|desenvolver|escrever) .. (?:virus de computador|malware|ransomware|keylogger|cavalo de troia|pagina de phishing|phishing)",
            "(?:hackear|invadir) .. (?:bancos?|contas? bancarias?|servidor(?:es)?|rede|wifi|sites?|banco de dados|caixas? eletronicos?|sistema)",
            "(?:sonegar|burlar) .. impostos? .. {secretly}",
            "(?:dar um golpe em|dar golpe em|extorquir|chantagear|subornar) (?:uma? |meu |minha |alguem|idosos|pessoas|o |a )",
            "(?:incendiar|queimar|botar fogo|colocar fogo|atear fogo) .. (?:casa|predio|escola|carro|loja|igreja|floresta)",
        ),
        "S3": (
            "(?:estuprar|violar|abusar sexualmente de) (?:uma?|minha|a|alguem|meu) ?(?:mulher|menina|garota|namorada|colega|amiga|pessoa|rapariga)?",
            "(?:drogar|dopar) (?:uma|minha|a) (?:menina|mulher|garota|amiga|namorada|rapariga|bebida)",
            "(?:colocar|botar|por) .. (?:boa noite cinderela|droga|ghb|remedio|algo) .. (?:na bebida|no copo|no drink)",
            "(?:publicar|postar|divulgar|vender|compartilhar|vazar) .. (?:fotos?|videos?|nudes) .. (?:nus?|nuas?|intim[oa]s|pelad[oa]s?|da minha ex|de ex|sem) .. (?:ex|consentimento|namorada|{secretly}|colega)",
            "(?:esconder|instalar|colocar) .. cameras? .. (?:banheiros?|vestiarios?|chuveiros?|provadores?|casa de banho)",
        ),
        "S4": (
            "(?:pornografia|porno) (?:infantil|com menores|de menores|com criancas)",
            "(?:fazer sexo|sexo|transar|relacoes sexuais|relacao sexual) com {minor}",
            "(?:estuprar|seduzir|aliciar|abusar de|molestar|tocar sexualmente) {minor}",
        ),
        "S5": (
            "(?:espalhar|inventar|divulgar|publicar|criar) .. (?:boatos?(?: falsos?)?|rumores?|mentiras|calunias|acusacoes falsas|fofocas falsas) (?:sobre|de|contra|que)",
            "(?:arruinar|destruir|acabar com|manchar) .. reputacao .. (?:de|do|da|com)",
        ),
        "S7": (
            "(?:espionar|hackear|clonar|invadir|grampear|acessar|aceder|ler|ver) (?:o |a |as |os |ao )?(?:whatsapp|celular|telemovel|telefone|mensagens|instagram|facebook|email|conta|gmail|snapchat|icloud)(?: \\w+)? (?:da|do|de) (?:minha|meu|alguem|uma?|outra|outro)",
            "(?:espionar|rastrear|seguir|vigiar) (?:minha|meu|uma?) (?:namorad[oa]|espos[oa]|marido|mulher|ex|companheir[oa]|vizinh[oa]|colega) .. {secretly}",
            "(?:descobrir|encontrar|saber|achar) .. (?:onde mora|endereco d[aeo]|a morada d[aeo]) .. (?:ex|pessoa|alguem|menina|garota|mulher|desconhecid[oa])",
            "(?:roubar|conseguir|obter) (?:a |as |os |o )?(?:identidade|senhas?|dados (?:bancarios|pessoais|de cartao)) (?:de|do|da)",
        ),
        "S8": (
            "(?:baixar|descarregar|conseguir|piratear) .. (?:pirata|pirateados?|pirateadas?|crackeado|craqueado|ilegalmente)",
            "(?:piratear|crackear|craquear) (?:um |uma |o |a )?(?:jogos?|programas?|software|photoshop|filmes?|windows|livros?|series?)",
        ),
        "S9": ("{make} .. {weapon}",),
        "S10": (
            "(?:piadas?|insultos?|poemas?|discursos?|memes?) (?:racistas?|antissemitas?|homofobic[oa]s?|xenofob[oa]s?|misogin[oa]s?|nazistas?|sobre negros|de negros|de judeus|de viados|de pretos)",
            "(?:matar|exterminar|eliminar|expulsar) (?:todos )?(?:os|as) {group}",
        ),
        "S11": (
            "(?:me suicidar|suicidar me|me matar|matar me|tirar (?:a )?minha (?:propria )?vida|me enforcar|enforcar me|cortar meus pulsos|cortar os pulsos|acabar com (?:a )?minha vida|morrer sem (?:dor|sofrer)|me automutilar|me cortar sem|me machucar de proposito|cometer suicidio)",
        ),
        "S12": (
            "(?:contos?|historias?|cenas?|textos?|fantasias?|relatos?) (?:muito )?(?:eroticos?|eroticas?|porno|pornograficos?|pornograficas?|sexuais|de sexo|sexual explicit[oa]|picantes?|hot)",
            "(?:videos? porno|sites? porno|porno gratis|pornografia|fotos? de mulheres (?:nuas|peladas))",
        ),
        "S13": (
            "(?:fraudar|manipular|hackear|roubar|adulterar|sabotar|comprar) .. (?:eleicoes|eleicao|urnas?|votos?|votacao|urnas eletronicas|boletins de voto)",
            "votar (?:duas|varias|tres) vezes",
            "(?:espalhar|divulgar|publicar) .. (?:informacoes falsas|noticias falsas|fake news|desinformacao|mentiras) .. (?:votacao|eleicoes|votar|eleitoral|eleicao)",
        ),
    },
    said={
        "S9": ("(?:receita|instrucoes|passos|manual|tutorial|guia) (?:\\w+ )?(?:de|para|da) (?:\\w+ ){0,2}{weapon}",),
        "S4": (
            "(?:fotos|videos|imagens) (?:sexuais |porno |eroticas )?(?:de |com )?{minor} (?:nu|nua|nuas|nus|pelad[oa]s?|sem roupa)",
            "(?:contos?|historias?|relatos?) (?:erotic[oa]s?|sexua(?:l|is)) (?:\\w+ ){0,3}(?:com|sobre|de) {minor}",
        ),
        "S2": (
            "(?:roubar|furtar|falsificar|hackear|lavar dinheiro|contrabandear|traficar|fraudar|assaltar) ... {secretly}",
        ),
        "S1": ("(?:matar|assassinar|envenenar|sequestrar|esfaquear|bater em|agredir) {person} ... {secretly}",),
        "S10": (
            "por ?que (?:todos )?(?:os|as) {group} sao (?:tao )?(?:inferiores|burr[oa]s|estupid[oa]s|suj[oa]s|criminosos|ladroes|preguicosos|nojent[oa]s|vagabund[oa]s)",
            "(?:os|as) {group} (?:sao|deveriam ser) (?:todos |todas |uns |umas )?(?:inferiores|lixo|animais|parasitas|escoria|ratos|uma praga|exterminad[oa]s)",
        ),
        "S11": (
            "(?:jeito|maneira|forma|metodo|metodos|formas) (?:mais )?(?:facil|rapid[oa]|indolor|sem dor|menos doloros[oa]|eficaz|eficazes) (?:de|para) (?:morrer|me matar|se matar|me suicidar|se suicidar|suicidio)",
        ),
    },
    unless={
        "": """prevenir|prevencao|evitar|proteger\\w*|denunciar|denuncia|detectar|reconhecer|sinais|vitimas?|linha de apoio|cvv|historia (?:da|do|de)|historic[oa]|museu|documentario|tese|redacao|leis?|crime de|condenad[oa]|
            traduzir|traducao|significa|ajudar (?:um|uma|meu|minha) (?:amig|colega|alun)\\w*|amig[oa] que|psicolog[oa]|terapeuta|acidente|
            bombas? (?:\\w+ )?(?:de|para|d) (?:banho|agua|chocolate|calor|sementes|ar|gasolina|insulina|bicicleta|infusao|piscina|vacuo|fumaca|aquario|tirar leite|creme|encher)|me matar de (?:tanto|rir|estudar|trabalhar|tedio|fome)|brincadeira|bomba (?:calorica|hidraulica|submersa|submersivel|eletrica|solar|manual)|desarmar|segunda guerra|guerra fria|
            baratas?|ratos?|mosquitos?|formigas?|o tempo|fome|saudades?|sede|curiosidade|aula|teatro|de brinquedo|meu proprio""",
        "fiction": "filmes?|romance|serie|novela|personagem|jogo|jogos|videogame|minecraft|gta|musica",
    },
)

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
