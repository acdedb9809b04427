"""Requests to attack an interpreter or its host, in plain language: S14 in fourteen languages.

What asks is each language's own.
"""

from collections.abc import Mapping
from dataclasses import replace

from models.safety.text.matching import Table
from models.safety.text.phrases.arabic import ARABIC
from models.safety.text.phrases.chinese import CHINESE
from models.safety.text.phrases.dutch import DUTCH
from models.safety.text.phrases.english import ENGLISH
from models.safety.text.phrases.french import FRENCH
from models.safety.text.phrases.german import GERMAN
from models.safety.text.phrases.hindi import HINDI
from models.safety.text.phrases.italian import ITALIAN
from models.safety.text.phrases.japanese import JAPANESE
from models.safety.text.phrases.polish import POLISH
from models.safety.text.phrases.portuguese import PORTUGUESE
from models.safety.text.phrases.russian import RUSSIAN
from models.safety.text.phrases.spanish import SPANISH
from models.safety.text.phrases.turkish import TURKISH


def _requests(
    language: Table,
    *phrases: str,
    said: tuple[str, ...] = (),
    unless: str,
    words: Mapping[str, str] | None = None,
    asking: str = "",
) -> Table:
    return replace(
        language,
        words={**language.words, **(words or {})},
        asking=f"{language.asking}|{asking}" if asking else language.asking,
        orders=language.spaced,
        asked={"S14": phrases},
        said={"S14": said},
        unless={"": unless},
    )


REQUESTS = (
    _requests(
        ENGLISH,
        "(?:escape|escapes|escaping|break out of|breaks out of|breaking out of|break free from|get out of|gets out of|jailbreak|evade|circumvent|bypass|bypasses|defeat|disable|turn off|leave) "
        "(?:from )?(?:the |this |your |its |that |a |our )?{walled}",
        "(?:crash|crashes|crashing|freeze|hang|kill|brick|take down|bring down|overload|exhaust|dos|ddos|destroy|cripple|lock up|shut down|reboot|halt) (?:the |this |your |that |its )(?:\\w+ )?{host}",
        "(?:read|reads|access|accesses|steal|steals|dump|dumps|exfiltrate|exfiltrates|leak|leaks|extract|list|print|show|get|grab|open|view|upload|send|sends|collect|harvest|copy) .. "
        "(?:the hosts? (?:files?|file ?system|environment|secrets?|credentials|passwords|memory|disk|machine files)|files? (?:outside|beyond) (?:of )?(?:the |your |this |its )?{walled}|"
        "(?:other|another) (?:users|tenants|customers|peoples) (?:files?|data|sessions?|uploads|secrets|code)|(?:the |your )?(?:servers?|hosts?|systems?|machines?) (?:secrets?|credentials|ssh keys?|private keys?|password file|shadow file|api keys?|environment variables)|"
        "(?:your|the interpreters|the sandboxs|the containers) (?:api keys?|secrets?|credentials|environment variables|tokens)|cloud (?:credentials|metadata)|instance metadata|metadata (?:service|endpoint)|the etc shadow|etc shadow)",
        "(?:(?:print|read|collect|dump|get|take|list|grab|gather|encode|find) (?:\\w+ ){0,3})?(?:environment variables|env vars|secrets|credentials|api keys|ssh keys|passwords|etc passwd|files) .. (?:and )?(?:send|sends|post|posts|upload|uploads|exfiltrate|exfiltrates|email|transmit|forward)(?:ing)? (?:them|it|everything|the result|all)",
        "(?:escalate|elevate|gain|gains|get|obtain|achieve) (?:your |my |its |to |full )?(?:root|privileges?|root access|root privileges|admin access|superuser|kernel access) (?:on|in|inside|from|of|within|over|to|outside) (?:the |this |your |that )?(?:{host}|{walled})",
        "(?:mine|mines|mining) .. (?:bitcoin|monero|crypto\\w*|ethereum|coins) .. (?:on|in|using|with|inside) (?:the |this |your )?(?:{host}|{walled}|cpu|gpu|interpreter|resources)",
        "(?:use up|uses up|eat up|eats up|consume|consumes|fill|fills|fill up|fills up|exhaust|exhausts|allocate|hog|hogs|burn) (?:all |up |the |of |your |available |entire |as much |\\w+ percent of )*(?:memory|ram|cpu|cpus|disk|disk space|processes|file descriptors|inodes|pids|disk of the server) .. "
        "(?:until|so that|so it|to crash|crash\\w*|dies|freez\\w*|forever|stops|falls over|runs out|host|server|sandbox|of (?:the|this|your) (?:{host}|{walled}))",
        "(?:delete|wipe|erase|destroy|remove|overwrite|encrypt|corrupt) (?:all |every |everything |the |of |entire |whole |your |this )*(?:files?|data|disk|disks|contents|drive|file ?system|everything) (?:on|from|of|in) (?:the |this |your )(?:hosts?|server|sandbox|container|machine you run on|system you run on|interpreter|host machine)",
        "(?:wipe|erase|destroy|delete|encrypt|corrupt) (?:the |this |your )(?:hosts? (?:disk|file ?system|files|machine|drive)|host|servers? (?:disk|files|file ?system|drive|data)|root file ?system|machine you run on|system you run on)",
        "(?:disable|remove|lift|turn off|override|bypass|ignore|get around|raise|switch off) (?:the |your |its |all |any )*(?:seccomp\\w*|rlimits?|(?:(?:sandbox\\w*|interpreters?|execution|containers?|code runners?|your own) )(?:resource |memory |time ?|cpu |process )?(?:limits?|timeouts?|restrictions|quotas?)|(?:resource |memory |time ?|cpu |process )?(?:limits?|restrictions) (?:of|on|in) (?:the |this |your )?(?:sandbox|interpreter|code runner|container you run in)|sandbox(?:ing)?|syscall filter|safety checks of (?:the|this) (?:sandbox|interpreter)|network isolation|audit log\\w*)",
        "(?:scan|scans|probe|map|sweep|enumerate|explore|attack|attacks|pivot into|reach) .. (?:your |the |this )?(?:internal|private|hosts|servers|local|sandboxs|cluster|clusters|intranet) (?:network|subnet|services|ips|ip range|hosts|machines|api|metadata)(?: .. (?:from|inside|through|of) (?:the |this |your )?(?:sandbox|interpreter|container|host|server))?",
        "(?:open|opens|start|starts|spawn|create|run|give me|write|get|make|establish) (?:me )?(?:a |an )?(?:python |bash |simple )?(?:reverse shell|bind shell|backdoor|fork ?bomb|remote shell|web ?shell|rootkit|crypto ?miner|cryptocurrency miner|bitcoin miner|monero miner|privilege escalation exploit|container escape|sandbox escape|kernel exploit|memory bomb|zip bomb)",
        "(?:connect|connects|connect back|call|calls|phone|beacon) (?:back |home )?to my (?:listener|attack server|c2|c2 server|command and control server|netcat listener)",
        "(?:persist|persists|stay resident|survive|install yourself|install itself|keep running|hide a process|hide itself) .. (?:after|across|on|in) (?:the |this |your )?(?:sandbox|host|server|session|container|restart of the sandbox|reset)",
        "(?:write|read|open|touch|modify|replace|patch|tamper with) .. (?:outside|beyond) (?:of )?(?:the |your |this |its )?{walled}",
        "(?:attack|exploit|hack|pwn|compromise|root|own|infect|backdoor) (?:the |this |your |that |its )(?:\\w+ )?(?:{host}|{walled}|code runner|code interpreter|python interpreter)",
        "(?:intercept|sniff|hijack|read|inject into) .. (?:other processes|another process|parent process|the parent process|other users processes|the servers? process|server process) ?(?:memory|traffic|environment|on the host)?",
        said=(
            "(?:code|script|program|python|payload|snippet|function|one ?liner|something|command|exploit) (?:that|which|to|for|so it) (?:will |can |would |could )?(?:escape\\w*|break\\w* out of|crash\\w*|kill\\w*|attack\\w*|exploit\\w*|bypass\\w*|disabl\\w*|tak\\w* down|freez\\w*|overload\\w*|hang\\w*|wip\\w*|brick\\w*) (?:the |this |your |its |that )?(?:\\w+ )?(?:{host}|{walled}|interpreter|resource limits|memory limit)",
            "(?:write|run|execute|give me|make|create|generate|launch|start|code) (?:me )?(?:a |an |the |this |some )?(?:working |python |bash |simple |small |real |java |c |node )*(?:fork ?bomb|reverse shell|bind shell|crypto ?miner|monero miner|bitcoin miner|sandbox escape|container escape|web ?shell|rootkit|zip bomb)",
            "(?:read|print|open|show|cat|dump|send me|give me) (?:me )?(?:the )?(?:contents? of )?(?:file )?(?:etc shadow|proc self environ|proc 1 environ)",
        ),
        asking="use (?:your |the |this |a )?(?:code |python )?(?:interpreter|sandbox|python|tools?|code runner|shell|terminal|code execution)(?: tool)? (?:to|and)",
        words={
            "walled": "sandbox(?:ed environment)?|sandboxing|container|jail|chroot|docker container|seccomp(?: filter)?|sandbox isolation|process isolation|code (?:runner|interpreter)s? (?:restrictions|sandbox|limits|isolation)|virtual machine|vm|bubblewrap|gvisor|python jail|pyjail|namespace isolation|execution environment|execution limits|restricted shell|restricted environment",
            "host": "interpreter|sandbox|host|host machine|host system|server|machine you run on|system you run on|kernel|vm|code runner|runtime|container|node|worker|backend|execution environment|machine it runs on|whole machine",
        },
        unless="""explain|what is|what are|whats|what does|how does|how do \\w+ work|why|why does|prevent\\w*|protect\\w*|detect\\w*|defend\\w*|mitigat\\w+|harden\\w*|stop .. from|avoid\\w*|keep .. from|without (?:crashing|killing|freezing|hanging|overloading)|my own|our own|
            on my (?:laptop|machine|pc|computer|mac|server|raspberry pi|nas)|my (?:laptop|computer|pc|phone|vm|container|(?:minecraft|dev|web|game) server)|gracefully|safely|crash(?:es|ed|ing)? when|keeps (?:crashing|freezing|hanging)|error|bug report|traceback|
            history|lesson|lecture|students?|teach\\w*|exam|quiz|novel|story|film|movie|game|minecraft|escape room|jail time|prison|kubectl|systemctl|maintenance|scheduled|graceful|law|kids|beach|cat|litter|children|play(?:ground|ing in)""",
    ),
    _requests(
        SPANISH,
        "(?:escapar(?:se)?|escape|escapa|salir|salga|romper|saltarse|eludir|burlar|desactivar|evadir) (?:de |del |la |el |las |los )*(?:sandbox|contenedor|aislamiento|entorno aislado|seccomp|jaula|limites de (?:memoria|tiempo|recursos|cpu)|caja de arena|restricciones del (?:interprete|sandbox|entorno))",
        "(?:bloquear|colgar|tumbar|tirar|hacer caer|saturar|reventar|matar|destruir|crashear|apagar) (?:el |la |este |tu |al )(?:interprete|servidor|sandbox|anfitrion|host|sistema anfitrion|kernel|nucleo|contenedor)",
        "(?:leer|leo|acceder a|accedo a|robar|volcar|extraer|ver|listar|copiar) .. (?:archivos|ficheros|credenciales|claves|contrasenas|variables de entorno|secretos) .. (?:del host|del anfitrion|del servidor|fuera (?:de la|del) (?:sandbox|contenedor|entorno)|de otros usuarios)",
        "(?:minar|mine) .. (?:bitcoin|monero|criptomonedas) .. (?:servidor|sandbox|interprete|cpu|maquina|aqui)",
        "(?:borrar|eliminar|formatear|borre|cifrar) (?:todos? )?(?:los |el |la )?(?:archivos|ficheros|disco|datos|sistema de archivos) del (?:servidor|host|anfitrion|sistema|sandbox)",
        "(?:llenar|agotar|consumir|ocupar|gastar) (?:toda |todo )?(?:la |el )?(?:memoria|ram|disco|cpu) .. (?:hasta|servidor|sandbox|host|caiga|cuelgue|bloquee)",
        "(?:escanear|explorar|sondear) .. red (?:interna|privada|local) .. (?:desde|del|sandbox|servidor|interprete)?",
        "(?:bomba fork|fork ?bomb|shell inversa|reverse shell|shell reversa|consola inversa|minero de criptomonedas|puerta trasera)",
        said=(
            "(?:codigo|script|programa) (?:que|para) (?:\\w+ )?(?:escap\\w+|romp\\w+|bloque\\w+|colgar|cuelg\\w+|tumb\\w+|crashe\\w+|salt\\w+|burl\\w+) (?:de |del |la |el |al |los |las )*(?:sandbox|interprete|servidor|contenedor|host|anfitrion|limites)",
        ),
        unless="explica|explicame que|que es|por que|prevenir|proteger|evitar|detectar|defender|impedir|mi propio|mi (?:servidor|portatil|ordenador)|error|historia|clase|alumnos|juego|novela|pelicula|ninos|arena del gato|arenero",
    ),
    _requests(
        FRENCH,
        "(?:s echapper|echapper|s evader|sortir|sort|contourner|contourne|casser|desactiver|franchir|s echappe) (?:de |du |la |le |les |au |a |d |l )*(?:sandbox|bac a sable|conteneur|container|isolation|isolement|seccomp|limites? (?:de |d )?(?:memoire|temps|ressources|cpu)|restrictions de l interpreteur|environnement isole)",
        "(?:planter|faire planter|plante|bloquer|geler|crasher|saturer|tuer|faire tomber|detruire|surcharger) (?:l |le |la |ce |ton |cet )(?:interpreteur|serveur|sandbox|bac a sable|hote|machine hote|noyau|conteneur|systeme hote)",
        "(?:lire|acceder aux?|voler|extraire|afficher|recuperer|copier) .. (?:fichiers|identifiants|cles|mots de passe|variables d environnement|secrets) .. (?:de l hote|du serveur|du systeme hote|hors du (?:bac a sable|conteneur|sandbox)|hors de la sandbox|en dehors du (?:bac a sable|conteneur|sandbox)|en dehors de la sandbox|des autres utilisateurs|d autres utilisateurs)",
        "(?:miner|mine) .. (?:bitcoin|bitcoins|monero|cryptomonnaies?|crypto) .. (?:serveur|sandbox|interpreteur|processeur|machine|ici)",
        "(?:supprimer|effacer|detruire|formater|chiffrer|supprime|efface) (?:tous |toutes |tout )?(?:les |le |l )?(?:fichiers|disque|donnees|systeme de fichiers) (?:du serveur|de l hote|du systeme|de la sandbox|du disque du serveur)",
        "(?:remplir|saturer|epuiser|consommer|utiliser) (?:toute |tout )?(?:la |le |l )?(?:memoire|ram|disque|processeur|cpu) .. (?:jusqu|serveur|sandbox|hote|plante|crash)",
        "(?:scanner|sonder|explorer|balayer) .. reseau (?:interne|prive|local)",
        "(?:fork ?bomb|bombe fork|bombe logique fork|reverse shell|shell inverse|shell inversé|mineur de cryptomonnaie|porte derobee)",
        said=(
            "(?:code|script|programme) (?:qui|pour|permettant de) (?:\\w+ )?(?:s ech\\w+|echapp\\w+|s evad\\w+|sort\\w*|plant\\w+|contourn\\w+|bloqu\\w+|crash\\w+|attaqu\\w+) (?:de |du |la |le |les |l |d |au )*(?:sandbox|bac a sable|interpreteur|serveur|conteneur|hote|limites)",
        ),
        unless="explique ce|explique moi ce|c est quoi|qu est ce|pourquoi|prevenir|proteger|eviter|detecter|defendre|empecher|mon propre|mon (?:serveur|portable|ordinateur|pc)|erreur|histoire|cours|eleves|jeu|roman|film|enfants|jardin|plage",
    ),
    _requests(
        GERMAN,
        "(?:der |die |das |deiner |dieser |diese |dem |einer |den |aus )*(?:sandbox|container|containers|isolation|seccomp(?: filter)?|speicherlimit|zeitlimit|ressourcenlimits?|speichergrenze|beschrankungen des interpreters|sandkasten umgebung|virtuellen maschine) .. (?:ausbrechen|ausbricht|entkommen|entkommt|umgehen|umgeht|aushebeln|verlassen|verlasst|uberwinden|abschalten|deaktivieren|knacken|sprengen|sprengt)",
        "(?:den |die |das |deinen |diesen |diese |dein )(?:interpreter|server|sandbox|host|kernel|container|rechner auf dem du laufst|host rechner|wirt) .. (?:absturzen|abschiessen|lahmlegen|lahmlegt|zum absturz|einfrieren|uberlasten|zerstoren|killen|abschiesst|angreifen|hacken)",
        "(?:interpreter|server|host|container|sandbox) zum absturz (?:bringen|bringt|zu bringen)",
        "(?:dateien|zugangsdaten|passworter|schlussel|umgebungsvariablen|geheimnisse) .. (?:des hosts|vom host|des servers|vom server|ausserhalb der sandbox|ausserhalb des containers|anderer nutzer|anderer benutzer|des wirts) .. (?:lesen|auslesen|liest|stehlen|kopieren|anzeigen|verschicken|senden|zugreifen|ausliest)",
        "(?:bitcoin|bitcoins|monero|kryptowahrung(?:en)?) .. (?:server|sandbox|interpreter|cpu|rechner) .. (?:schurfen|minen|schurft|mint)",
        "(?:alle |die |ganze |gesamte )*(?:dateien|festplatte|daten|dateisystem) (?:auf dem|des|vom|auf diesem|deines) (?:server|servers|host|hosts|system|systems|sandbox) .. (?:loschen|loscht|uberschreiben|vernichten|formatieren|verschlusseln)",
        "(?:den |gesamten |ganzen |kompletten |die |komplette )*(?:speicher|arbeitsspeicher|ram|festplatte|platte|cpu) .. (?:vollmullen|fullen bis|vollschreiben|aufbrauchen|belegen bis|fullt bis|vollschreibt|aufbraucht)",
        "(?:das |dein |euer )?(?:interne|internes|private|privates) (?:netz|netzwerk) .. (?:scannen|scannt|durchsuchen|abklopfen|ausspahen)",
        "(?:fork ?bombe|forkbomb|fork bomb|reverse shell|krypto ?miner|hintertur) .. (?:schreiben|schreibt|bauen|starten|programmieren|ausfuhren|offnen|einbauen|offnet)",
        said=(
            "(?:code|skript|script|programm) (?:der|das|um|mit dem) (?:\\w+ ){0,3}(?:sandbox|interpreter|container|server|host) (?:\\w+ ){0,3}(?:ausbricht|entkommt|umgeht|absturzen lasst|lahmlegt|abschiesst|zum absturz bringt|auszubrechen|zu entkommen|zu umgehen|absturzen zu lassen|lahmzulegen)",
            "(?:schreib(?:e)?|gib|starte|programmiere|baue|fuhre) (?:mir |uns )?(?:eine |einen |die )?(?:fork ?bombe|forkbomb|fork bomb|reverse shell|krypto ?miner|kryptominer)",
        ),
        unless="erklar(?:e|en)? (?:mir )?was|was ist|was sind|warum|verhindern|verhindere|schutzen|schutze|vermeiden|erkennen|abwehren|absichern|mein(?:en|em)? eigenen?|mein(?:en|em)? (?:server|laptop|rechner|pc)|fehler|fehlermeldung|geschichte|unterricht|schuler|spiel|roman|film|kinder|sandkasten im garten",
    ),
    _requests(
        PORTUGUESE,
        "(?:escapar|escape|escapa|sair|fugir|burlar|contornar|quebrar|desativar|desabilitar) (?:de |da |do |a |o |os |as )*(?:sandbox|container|conteiner|isolamento|seccomp|limites? de (?:memoria|tempo|recursos|cpu)|restricoes do (?:interpretador|ambiente|sandbox)|ambiente isolado)",
        "(?:travar|derrubar|quebrar|crashar|matar|sobrecarregar|destruir|congelar|desligar) (?:o |a |este |esse |seu |teu )(?:interpretador|servidor|sandbox|host|hospedeiro|kernel|container|sistema hospedeiro)",
        "(?:ler|acessar|aceder|roubar|extrair|copiar|listar|ver) .. (?:arquivos|ficheiros|credenciais|chaves|senhas|variaveis de ambiente|segredos) .. (?:do host|do hospedeiro|do servidor|fora (?:da|do) (?:sandbox|container|ambiente)|de outros usuarios|de outros utilizadores)",
        "minerar .. (?:bitcoin|monero|criptomoedas?) .. (?:servidor|sandbox|interpretador|cpu|maquina|aqui)",
        "(?:apagar|deletar|excluir|formatar|apague|criptografar) (?:todos )?(?:os |o |a )?(?:arquivos|ficheiros|disco|dados|sistema de arquivos) do (?:servidor|host|hospedeiro|sistema|sandbox)",
        "(?:encher|esgotar|consumir|ocupar|gastar) (?:toda |todo )?(?:a |o )?(?:memoria|ram|disco|cpu) .. (?:ate|servidor|sandbox|host|cair|travar)",
        "(?:escanear|varrer|sondar) .. rede (?:interna|privada|local)",
        "(?:fork ?bomb|bomba fork|shell reverso|shell reversa|reverse shell|minerador de criptomoedas?|backdoor)",
        said=(
            "(?:codigo|script|programa) (?:que|para) (?:\\w+ )?(?:escap\\w+|sai\\w*|sair|fug\\w+|burl\\w+|trav\\w+|derrub\\w+|contorn\\w+|quebr\\w+|ataqu\\w+) (?:de |da |do |a |o |os |as )*(?:sandbox|interpretador|servidor|container|host|hospedeiro|limites)",
        ),
        unless="explique o que|o que e|por ?que|prevenir|proteger|evitar|detectar|defender|impedir|meu proprio|meu (?:servidor|notebook|computador|pc)|erro|historia|aula|alunos|jogo|romance|filme|criancas",
    ),
    _requests(
        ITALIAN,
        "(?:evadere|evada|uscire|esca|scappare|fuggire|aggirare|eludere|superare|disattivare|disabilitare|violare) (?:da |dal |dalla |la |il |i |le |l )*(?:sandbox|container|contenitore|isolamento|seccomp|limit[ei] di (?:memoria|tempo|risorse|cpu)|restrizioni dell interprete|ambiente isolato)",
        "(?:bloccare|far crashare|mandare in crash|crashare|far cadere|uccidere|sovraccaricare|distruggere|far bloccare) (?:l |il |la |questo |lo |tuo )*(?:interprete|server|sandbox|host|kernel|container|sistema ospite|macchina ospite)",
        "(?:leggere|accedere a|accedere ai|rubare|estrarre|copiare|vedere) .. (?:file|credenziali|chiavi|password|variabili d ambiente|variabili di ambiente|segreti) .. (?:dell host|del server|fuori dalla sandbox|fuori dal container|al di fuori della sandbox|di altri utenti|degli altri utenti)",
        "minare .. (?:bitcoin|monero|criptovalute?) .. (?:server|sandbox|interprete|cpu|macchina|qui)",
        "(?:cancellare|eliminare|formattare|distruggere|cifrare) (?:tutti |tutto )?(?:i |il |gli |la )?(?:file|disco|dati|file system|filesystem) (?:del|dell|sul|della) (?:server|host|sistema|sandbox)",
        "(?:riempire|esaurire|consumare|occupare) (?:tutta |tutto )?(?:la |il )?(?:memoria|ram|disco|cpu) .. (?:fino|finche|server|sandbox|host|crash)",
        "(?:scansionare|scandagliare|esplorare) .. rete (?:interna|privata|locale)",
        "(?:fork ?bomb|bomba fork|reverse shell|shell inversa|miner di criptovalute|backdoor)",
        said=(
            "(?:codice|script|programma) (?:che|per) (?:\\w+ )?(?:evad\\w+|esc[ae]|uscire|scapp\\w+|aggir\\w+|blocc\\w+|crash\\w+|elud\\w+|attacc\\w+|mand\\w+ in crash) (?:da |dal |dalla |la |il |i |le |l |dell )*(?:sandbox|interprete|server|container|host|limiti)",
        ),
        unless="spiegami cosa|spiega cosa|cos e|cosa e|perche|prevenire|proteggere|evitare|rilevare|difendere|impedire|il mio (?:server|portatile|computer|pc)|errore|storia|lezione|studenti|gioco|romanzo|film|bambini",
    ),
    _requests(
        DUTCH,
        "(?:uit |de |deze |het |je |een )*(?:sandbox|container|isolatie|seccomp(?: filter)?|geheugenlimiet|tijdslimiet|limieten van de (?:sandbox|interpreter)|afgeschermde omgeving) .. (?:ontsnappen|ontsnapt|breken|uitbreken|omzeilen|omzeilt|uitschakelen|kraken|verlaten)",
        "(?:de |deze |je |het )(?:interpreter|server|sandbox|host|kernel|container|hostmachine) .. (?:crashen|laten crashen|platleggen|plat te leggen|laat crashen|vastlopen|overbelasten|slopen|vernielen|aanvallen|hacken)",
        "(?:bestanden|wachtwoorden|sleutels|omgevingsvariabelen|geheimen|inloggegevens) .. (?:van de host|van de server|buiten de sandbox|buiten de container|van andere gebruikers) .. (?:lezen|stelen|kopieren|uitlezen|leest|versturen)",
        "(?:bitcoin|bitcoins|monero|crypto\\w*) .. (?:server|sandbox|interpreter|cpu) .. (?:minen|delven|mint)",
        "(?:alle |de )*(?:bestanden|schijf|data|bestandssysteem) (?:op|van) (?:de |deze )?(?:server|host|sandbox|systeem) .. (?:wissen|verwijderen|vernietigen|wist|verwijdert|formatteren)",
        "(?:al het |het |alle )?(?:geheugen|ram|schijfruimte|schijf|cpu) .. (?:opmaken|vullen tot|volschrijven|opgebruiken|vult tot)",
        "(?:interne|prive) netwerk .. (?:scannen|scant|verkennen|aftasten)",
        "(?:fork ?bom|fork ?bomb|reverse shell|crypto ?miner|achterdeur) .. (?:schrijven|maken|starten|bouwen|openen)",
        said=(
            "(?:code|script|programma) (?:die|dat|om) (?:\\w+ ){0,3}(?:sandbox|interpreter|container|server|host) (?:\\w+ ){0,2}(?:ontsnapt|omzeilt|crasht|platlegt|te ontsnappen|te omzeilen|te laten crashen|plat te leggen|laat crashen|uit breekt)",
            "(?:schrijf|geef|start|maak|bouw) (?:me |mij )?(?:een |de )?(?:fork ?bom|fork ?bomb|reverse shell|crypto ?miner)|code die (?:uit )?(?:de )?(?:sandbox|container) (?:ontsnapt|breekt|omzeilt)",
        ),
        unless="leg uit wat|wat is|wat zijn|waarom|voorkomen|voorkom|beschermen|bescherm|vermijden|herkennen|verdedigen|mijn eigen|mijn (?:server|laptop|computer|pc)|fout|foutmelding|geschiedenis|les|leerlingen|spel|roman|film|kinderen|zandbak",
    ),
    _requests(
        POLISH,
        "(?:uciec|ucieknie|wyjsc|wydostac sie|wyrwac sie|obejsc|obchodzi|ominac|omija|zlamac|wylaczyc) .. (?:piaskownic\\w+|sandbox\\w*|kontener\\w*|izolacj\\w+|seccomp|limit\\w* (?:pamieci|czasu|zasobow|cpu)|ograniczen\\w* interpretera)",
        "(?:zawiesic|wysypac|wykrzaczyc|zabic|przeciazyc|zniszczyc|polozyc|scrashowac|zaatakowac|zhakowac) .. (?:interpreter\\w*|serwer\\w*|sandbox\\w*|piaskownic\\w+|host\\w*|jadro systemu|kontener\\w*)",
        "(?:odczytac|przeczytac|wykrasc|ukrasc|skopiowac|wyciagnac|uzyskac dostep do) .. (?:plik\\w*|hasl\\w*|klucz\\w*|zmienn\\w+ srodowiskow\\w+|sekret\\w*|dan\\w+) .. (?:hosta|serwera|poza piaskownic\\w+|poza sandbox\\w*|spoza sandbox\\w*|spoza piaskownicy|innych uzytkownikow|gospodarza)",
        "(?:kopac|wydobywac) .. (?:bitcoin\\w*|monero|kryptowalut\\w*)",
        "(?:usunac|skasowac|wymazac|zniszczyc|sformatowac|zaszyfrowac) .. (?:pliki|dysk|dane|system plikow) .. (?:serwer\\w*|host\\w*|sandbox\\w*|systemie)",
        "(?:zapelnic|zapchac|zuzyc|wyczerpac|zajac) .. (?:pamiec|ram|dysk|procesor) .. (?:az|serwer\\w*|sandbox\\w*|host\\w*|padnie|zawiesi)",
        "(?:przeskanowac|skanowac) .. siec\\w* (?:wewnetrzn\\w+|prywatn\\w+|lokaln\\w+)|(?:przeskanowac|skanowac) .. (?:wewnetrzn\\w+|prywatn\\w+) siec",
        "(?:fork ?bomb\\w*|bomb\\w+ fork|reverse shell|odwrotn\\w+ powlok\\w+|kopark\\w+ kryptowalut|tylne wejscie)",
        said=(
            "(?:kod|skrypt|program) (?:ktory|zeby|do|aby) (?:\\w+ ){0,2}(?:uciek\\w*|wyjdzie|wydosta\\w*|ominie|obejdzie|zawiesi|wysypie|zabije|ucieczki|obejscia|ominiecia|zawieszenia) (?:\\w+ )?(?:piaskownic\\w+|sandbox\\w*|interpreter\\w*|serwer\\w*|kontener\\w*|host\\w*|limit\\w*)",
        ),
        unless="wyjasnij co|co to|czym jest|dlaczego|czemu|zapobie\\w+|chronic|uniknac|wykry\\w+|obron\\w+|moj wlasny|moj (?:serwer|laptop|komputer)|blad|historia|lekcj\\w+|uczni\\w+|gr[aey]|powiesc|film|dzieci|w ogrodzie",
    ),
    _requests(
        RUSSIAN,
        "(?:сбежать|убежать|выйти|вырваться|выбраться|обойти|взломать|отключить|выходит|сбегает|обходит|выйдет) .. (?:песочниц[а-я]+|sandbox|контейнер[а-я]*|изоляци[а-я]+|seccomp|лимит[а-я]* (?:памяти|времени|ресурсов)|ограничени[а-я]+ (?:интерпретатора|памяти|времени|песочницы))",
        "(?:уронить|положить|повесить|сломать|обрушить|завалить|перегрузить|крашнуть|атаковать|уничтожить|убить) .. (?:интерпретатор[а-я]*|сервер[а-я]*|песочниц[а-я]+|хост[а-я]*|ядро|контейнер[а-я]*|хостов[а-я]+ машин[а-я]+)",
        "(?:прочитать|читать|украсть|получить доступ к|вытащить|скопировать|выгрузить|прочесть) .. (?:файл[а-я]*|парол[а-я]+|ключ[а-я]*|переменн[а-я]+ окружения|секрет[а-я]*|данн[а-я]+) .. (?:хоста|сервера|вне песочницы|за пределами песочницы|вне контейнера|за пределами контейнера|других пользователей|хостов[а-я]+)",
        "(?:майнить|добывать) .. (?:биткоин[а-я]*|биткойн[а-я]*|монеро|monero|криптовалют[а-я]+|крипт[а-я])",
        "(?:удалить|стереть|уничтожить|отформатировать|зашифровать) .. (?:файлы|диск|данные|файловую систему) .. (?:сервер[а-я]*|хост[а-я]*|систем[а-я]+|песочниц[а-я]+)",
        "(?:забить|заполнить|исчерпать|сожрать|съесть) .. (?:память|оперативк[а-я]+|диск|процессор) .. (?:пока|чтобы|сервер[а-я]*|песочниц[а-я]+|хост[а-я]*|упадет|до отказа)",
        "(?:просканировать|сканировать) .. (?:внутренн[а-я]+|приватн[а-я]+|локальн[а-я]+) сет[а-я]+",
        "(?:форк ?бомб[а-я]+|fork ?bomb|reverse shell|обратн[а-я]+ (?:шелл|оболочк[а-я]+)|реверс шелл|майнер[а-я]*|бэкдор[а-я]*)",
        said=(
            "(?:код|скрипт|программу|программа) (?:который|которая|чтобы|для|которую)(?: [а-я]+){0,2} (?:сбежит|выходит|выйдет|обходит|обойдет|уронит|повесит|выхода|обхода|побега|падения|взлома|вырвется|выйти|сбежать|уронить|обойти|положит|повесить) (?:[а-я]+ )?(?:песочниц[а-я]+|интерпретатор[а-я]*|сервер[а-я]*|контейнер[а-я]*|хост[а-я]*|sandbox|ограничени[а-я]+)",
        ),
        unless="объясни что|что такое|почему|зачем|предотврат[а-я]+|защит[а-я]+|избежать|обнаруж[а-я]+|мой собственный|мо[а-я]+ (?:сервер[а-я]*|ноутбук[а-я]*|компьютер[а-я]*)|ошибк[а-я]+|истори[а-я]+|урок[а-я]*|учени[а-я]+|игр[а-я]+|роман[а-я]*|фильм[а-я]*|дет[а-я]+|во дворе",
    ),
    _requests(
        TURKISH,
        "(?:sandbox|kum havuzu|konteyner|container|izolasyon|seccomp|bellek (?:limit|sınır)|zaman (?:limit|sınır)|kaynak (?:limit|sınır)|yorumlayıcının kısıtlama)\\w* .. (?:kaç\\w*|çık\\w*|aş\\w*|atlat\\w*|kır\\w*|devre dışı\\w*|bypass\\w*)",
        "(?:yorumlayıcı|sunucu|sandbox|ana makine|host|çekirdek|konteyner)(?:yı|yi|nı|ni|yu|ı|i|u|ü|nun|yı)? .. (?:çökert\\w*|kilitle\\w*|dondur\\w*|aşırı yükle\\w*|yok et\\w*|hackle\\w*|çöktür\\w*)",
        "(?:sandbox dışındaki|ana makinedeki|sunucudaki|hosttaki|host|konteyner dışındaki|diğer kullanıcıların) .. (?:dosya|şifre|parola|anahtar|ortam değişken|sır)\\w* .. (?:oku\\w*|çal\\w*|kopyala\\w*|eriş\\w*|göster\\w*|listele\\w*)",
        "(?:bitcoin|monero|kripto ?para?) .. (?:madenciliği|kaz\\w*|mine et\\w*)",
        "(?:sunucu|ana makine|host|sistem)\\w* .. (?:tüm|bütün) (?:dosya|veri|disk)\\w* .. (?:sil\\w*|yok et\\w*|şifrele\\w*)",
        "(?:tüm |bütün )?(?:belleği|ramı|diski|işlemciyi) .. (?:doldur\\w*|tüket\\w*)",
        "(?:iç|özel|dahili) ağ\\w* .. (?:tara\\w*|keşfet\\w*)",
        "(?:fork ?bomba\\w*|fork bomb|reverse shell|ters kabuk|ters bağlantı kabuğu|kripto madencisi|arka kapı) .. (?:yaz\\w*|yap\\w*|aç\\w*|oluştur\\w*|çalıştır\\w*)?",
        said=(
            "(?:sandboxtan|kum havuzundan|konteynerden|sandboxdan) (?:kaçan|çıkan) .. (?:kod|betik|script|program)|(?:yorumlayıcıyı|sunucuyu|sandboxı) (?:çökerten|kilitleyen|donduran) .. (?:kod|betik|script|program)",
        ),
        unless="açıkla ne|nedir|ne demek|neden|niçin|önle\\w*|koru\\w*|engelle\\w*|tespit\\w*|savun\\w*|kendi (?:sunucum|bilgisayar|laptop)\\w*|hata\\w*|tarih\\w*|ders\\w*|öğrenci\\w*|oyun\\w*|roman\\w*|film\\w*|çocuk\\w*",
    ),
    _requests(
        CHINESE,
        "(?:逃出|逃逸|逃离|逃離|突破|绕过|繞過|跳出|绕开|关闭|關閉|禁用|攻破)(?:这个|這個|你的|该|代码|python|docker)?(?:沙箱|沙盒|容器|隔离|隔離|seccomp|内存限制|記憶體限制|时间限制|時間限制|资源限制|資源限制|解释器的限制|执行环境)",
        "(?:搞崩|弄崩|崩溃|让|使|搞垮|弄垮|攻击|攻擊|卡死|瘫痪|癱瘓|弄死|入侵|黑掉)(?:这个|這個|你的|该|python)?(?:解释器|解釋器|服务器|伺服器|沙箱|沙盒|宿主机|宿主機|主机|主機|内核|容器)(?:崩溃|崩潰|死机|当机|瘫痪|卡死|宕机)?",
        "(?:读取|讀取|窃取|竊取|访问|存取|查看|偷取|获取|拷贝|导出)..(?:宿主机|宿主機|主机|主機|服务器|伺服器|沙箱外|沙盒外|沙箱之外|容器外|其他用户)(?:的|上的|里的)?..(?:文件|檔案|密码|密碼|密钥|环境变量|環境變數|凭证|数据|機密)",
        "(?:挖|挖掘)(?:比特币|比特幣|门罗币|門羅幣|加密货币|加密貨幣|矿)|挖矿程序",
        "(?:删除|刪除|清空|抹掉|格式化|销毁|加密)(?:掉)?(?:这台|你的|整个)?(?:服务器|伺服器|宿主机|主机|主機|系统|硬盘|沙箱)(?:上|里|中)?(?:的)?(?:所有|全部)?(?:文件|檔案|数据|資料|硬盘)?",
        "(?:耗尽|耗盡|占满|佔滿|用光|吃光|填满|撑爆)..(?:内存|記憶體|磁盘|硬盘|cpu|资源)",
        "(?:扫描|掃描|探测)..(?:内网|內網|内部网络|內部網路|私有网络)",
        "fork ?炸弹|叉子炸弹|反弹 ?shell|反向 ?shell|挖矿(?:脚本|程序)|后门程序|後門程式",
        said=(
            "(?:写|寫|给我|生成|运行).{0,6}(?:逃出|逃逸|突破|绕过)(?:这个|你的)?(?:沙箱|沙盒|容器).{0,4}(?:代码|程式碼|脚本|程序)|(?:能|可以|会)?(?:让|使)(?:解释器|服务器|沙箱|宿主机)(?:崩溃|死机|瘫痪)的(?:代码|脚本|程序)",
        ),
        unless="什么是|什麼是|为什么|為什麼|防止|预防|预防|避免|保护|保護|检测|抵御|加固|我自己的|我的(?:服务器|电脑|笔记本)|报错|错误|历史|课|学生|游戏|小说|电影|孩子|解释一下|原理",
    ),
    _requests(
        JAPANESE,
        "(?:サンドボックス|コンテナ|隔離環境|隔離|seccomp|メモリ制限|時間制限|リソース制限|実行制限|仮想環境|jail)(?:から|を|の外に).{0,4}(?:脱出|抜け出|回避|突破|逃げ|破|無効|解除|バイパス|迂回)",
        "(?:インタプリタ|インタープリタ|サーバー|サーバ|ホスト|サンドボックス|カーネル|コンテナ)を.{0,4}(?:クラッシュ|落と|停止させ|フリーズ|壊|ダウンさせ|過負荷|攻撃|乗っ取|ハッキング|破壊)",
        "(?:ホスト|サーバー|サーバ|サンドボックスの外|サンドボックス外|コンテナの外|他のユーザー)(?:の|にある).{0,6}(?:ファイル|パスワード|鍵|環境変数|秘密|認証情報|データ)を.{0,4}(?:読|盗|取得|コピー|表示|送信|アクセス|覗)",
        "(?:ビットコイン|モネロ|仮想通貨|暗号通貨)を?.{0,4}(?:マイニング|採掘|掘)",
        "(?:サーバー|サーバ|ホスト|システム|サンドボックス)の?.{0,4}(?:全ファイル|すべてのファイル|全部のファイル|ディスク|データ)を.{0,4}(?:削除|消去|消|破壊|暗号化|初期化)",
        "(?:メモリ|ram|ディスク|cpu)を.{0,4}(?:使い切|食いつぶ|埋め尽く|枯渇|使い果た)",
        "(?:内部|社内|プライベート)ネットワークを?.{0,4}(?:スキャン|探索|調査)",
        "(?:フォーク爆弾|フォークボム|fork爆弾|forkボム|リバースシェル|バックドア|マイナー)を?.{0,4}(?:書|作|実行|開|起動|仕込|張)",
        said=(
            "(?:サンドボックス|コンテナ|隔離環境)(?:から|を).{0,4}(?:脱出|抜け出|突破|回避)(?:する|できる)(?:コード|スクリプト|プログラム)|(?:インタプリタ|インタープリタ|サーバー|ホスト)を(?:クラッシュさせる|落とす|停止させる|壊す)(?:コード|スクリプト|プログラム)",
        ),
        unless="とは|なぜ|どうして|防|保護|避け|検出(?:する|し)|守|対策|自分の(?:サーバー|pc|パソコン)|エラー|歴史|授業|生徒|ゲーム|小説|映画|子供|砂場",
    ),
    _requests(
        ARABIC,
        "(?:الهروب|اهرب|يهرب|الخروج|اخرج|يخرج|تجاوز|اتجاوز|يتجاوز|كسر|تعطيل|اختراق) (?:من )?(?:ال)?(?:صندوق (?:ال)?رمل\\S*|بييه معزوله|بييه المعزوله|بيئه معزوله|حاويه|الحاويه|ساندبوكس|عزل|قيود المفسر|حدود (?:الذاكره|الوقت|الموارد)|seccomp|sandbox)",
        "(?:تعطيل|اعطل|يعطل|اسقاط|اسقط|ايقاف|تجميد|انهيار|تدمير|مهاجمه) (?:ال)?(?:مفسر|خادم|سيرفر|مضيف|نواه|حاويه|نظام المضيف|صندوق الرمل)",
        "(?:قراءه|اقرا|يقرا|سرقه|اسرق|الوصول الي|نسخ|استخراج) .. (?:ملفات|كلمات (?:ال)?(?:سر|مرور)|مفاتيح|متغيرات البييه|بيانات|اسرار) .. (?:المضيف|الخادم|السيرفر|خارج (?:صندوق الرمل|الحاويه|البييه\\S*|ال\\S+)|المستخدمين الاخرين)",
        "(?:تعدين|اعدن|يعدن) .. (?:بتكوين|البتكوين|مونيرو|العملات (?:ال)?(?:رقميه|مشفره)|عملات)",
        "(?:حذف|احذف|يحذف|مسح|امسح|يمسح|تدمير|تشفير) (?:جميع |كل )?(?:ال)?(?:ملفات|بيانات|قرص)\\S* .. (?:الخادم|السيرفر|المضيف|النظام)|(?:حذف|مسح) جميع ملفات (?:الخادم|السيرفر|المضيف|النظام)",
        "(?:ملء|استهلاك|استنزاف|استنفاد) .. (?:الذاكره|القرص|المعالج|الرام)",
        "(?:فحص|مسح|استكشاف) .. (?:ال)?شبكه (?:ال)?(?:داخليه|خاصه|محليه)",
        "(?:fork bomb|قنبله فورك|قنبله التفرع|شل عكسي|صدفه عكسيه|باب خلفي|reverse shell)",
        said=(
            "(?:كود|برنامج|سكربت|شيفره|كودا|برنامجا|سكربتا) (?:ي|ل|لل)?(?:هرب|هروب|خرج|خروج|تجاوز|عطل|تعطيل|اسقاط)\\S* (?:من )?(?:ال)?(?:صندوق (?:ال)?رمل\\S*|حاويه|مفسر|خادم|سيرفر|مضيف|ساندبوكس|sandbox)",
        ),
        unless="اشرح لي ما|ما هو|ما هي|لماذا|منع|حمايه|احمي|تجنب|كشف|الدفاع|الخاص بي|خادمي|حاسوبي|خطا|تاريخ|درس|طلاب|لعبه|روايه|فيلم|اطفال",
    ),
    _requests(
        HINDI,
        "(?:सैंडबॉक्स|कंटेनर|आइसोलेशन|मेमोरी सीमा|समय सीमा|संसाधन सीमा|इंटरप्रेटर की सीमा\\S*|sandbox)(?: से| को| की)? .. (?:बाहर निकल\\S*|भाग\\S*|बच निकल\\S*|तोड़\\S*|बायपास\\S*|बंद कर\\S*|निकल\\S*|पार कर\\S*)",
        "(?:इंटरप्रेटर|सर्वर|सैंडबॉक्स|होस्ट|कर्नेल|कंटेनर) को .. (?:क्रैश\\S*|हैंग\\S*|ठप\\S*|बंद कर\\S*|नष्ट\\S*|हैक\\S*|ओवरलोड\\S*|फ्रीज\\S*)",
        "(?:होस्ट|सर्वर|सैंडबॉक्स के बाहर|कंटेनर के बाहर|दूसरे उपयोगकर्ताओं) (?:की|के|का) .. (?:फाइल\\S*|फ़ाइल\\S*|पासवर्ड\\S*|कुंजी\\S*|एनवायरनमेंट वेरिएबल\\S*|डेटा|गोपनीय\\S*) .. (?:पढ़\\S*|चुरा\\S*|देख\\S*|कॉपी\\S*|निकाल\\S*|भेज\\S*)",
        "(?:बिटकॉइन|मोनेरो|क्रिप्टो\\S*) .. (?:माइन\\S*|खनन\\S*)",
        "(?:सर्वर|होस्ट|सिस्टम) (?:की|के|पर|का) .. (?:सभी|सारी|सारे|पूरी)? ?.. (?:फाइलें|फ़ाइलें|डेटा|डिस्क) .. (?:मिटा\\S*|डिलीट\\S*|हटा\\S*|नष्ट\\S*)",
        "(?:सारी |पूरी )?(?:मेमोरी|रैम|डिस्क|सीपीयू) .. (?:भर\\S*|खत्म कर\\S*|खा जा\\S*|खपत\\S*)",
        "(?:आंतरिक|निजी) नेटवर्क .. स्कैन\\S*",
        "(?:फोर्क बम|fork bomb|रिवर्स शेल|reverse shell|क्रिप्टो माइनर|बैकडोर) .. (?:लिख\\S*|बना\\S*|चला\\S*|खोल\\S*)",
        said=(
            "(?:सैंडबॉक्स|कंटेनर) से (?:बाहर )?(?:निकलने|भागने|बच निकलने) .. (?:कोड|स्क्रिप्ट|प्रोग्राम)|(?:इंटरप्रेटर|सर्वर|सैंडबॉक्स) को क्रैश .. (?:कोड|स्क्रिप्ट|प्रोग्राम)",
        ),
        unless="क्या है|क्या होता|क्यों|रोक\\S*|बचाव|बचाने|सुरक्षा|सुरक्षित|पता लगा\\S*|मेरे अपने|मेरा (?:सर्वर|लैपटॉप|कंप्यूटर)|त्रुटि|एरर|इतिहास|पाठ|छात्र\\S*|गेम|उपन्यास|फिल्म|बच्चों",
    ),
)
