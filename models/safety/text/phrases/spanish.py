"""Spanish."""

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
