"""Polish."""

from models.safety.text.matching import Table

POLISH = Table(
    language="pl",
    words={
        "person": """(?:moj\\w* |swoj\\w* |jak\\w* |t[aeo]\\w* |jego |jej |czyj\\w* |mloda |starsz\\w* )*(?:zone|zony|meza|dziewczyne|chlopaka|ex|byl[aeo]\\w*|partnerke|partnera|szefa|szefowa|sasiad\\w*|matke|ojca|rodzicow|tesciowa|siostre|brata|syna|corke|dzieck\\w*|dzieci|kolege|kolezank\\w*|
            nauczyciel\\w*|policjant\\w*|polityka|prezydenta|czlowieka|ludzi|osobe|kogos|kobiete|mezczyzne|rodzine|babcie|dziadka|swiadka|wroga|przyjaciela|przyjaciolke)""",
        "weapon": """bomb[eya](?: rurow[aey]| domow[aey]| atomow[aey]| brudn[aey]| jadrow[aey])?|ladun\\w+ wybuchow\\w+|material\\w* wybuchow\\w*|koktajl\\w* molotowa|gaz (?:bojowy|sarin|musztardowy|trujacy|paralityczny|chlorowy)|sarin\\w?|rycyn\\w|waglik\\w?|bron (?:chemiczn\\w+|biologiczn\\w+|jadrow\\w+|nuklearn\\w+)|granat\\w?|dynamit\\w?""",
        "drug": "metamfetamin\\w+|amfetamin\\w+|kokain\\w+|crack|heroin\\w+|fentanyl|mdma|ekstaz\\w|lsd|narkotyk\\w*|mete",
        "minor": "(?:mal\\w+ |niepelnoletni\\w+ |nieletni\\w+ |z )*(?:dzieckiem|dziecko|dzieci|dziecmi|nieletni\\w*|maloletni\\w*|(?:\\d|1[0-3]) ?letni\\w+|dziewczynk\\w+)",
        "secretly": """(?:zeby|aby|tak zeby|tak aby|by) (?:nikt )?(?:mnie )?nie (?:\\w+ )?(?:zlapali|zlapal|wykryl\\w*|zauwazyl\\w*|dowiedzial\\w*|przylapal\\w*|zorientowal\\w*|dac sie zlapac|zostac zlapanym|wpasc)|i nie (?:dac sie zlapac|zostac zlapanym|wpasc)|bez (?:jej|jego|ich) (?:wiedzy|zgody)|bez pozostawiania sladow|
            nie zostawiajac sladow|bez wykrycia|niezauwazenie""",
        "group": "zydzi|zydow|murzyni|murzynow|czarni|czarnych|muzulmanie|muzulmanow|cyganie|cyganow|geje|gejow|pedaly|pedalow|imigranci|imigrantow|uchodzcow|ukraincy|ukraincow|arabowie|arabow|kobiety|ciapaci|ciapatych",
    },
    asking="""jak(?: (?:mozna|moge|mozemy|najlepiej|najlatwiej|mam|powinienem|samemu|sie|skutecznie|szybko|bezpiecznie|legalnie))*|chce|chcialbym|chcialabym|zamierzam|planuje|musze|powiedz mi(?: jak)?|naucz mnie(?: jak)?|wytlumacz(?: mi)?(?: jak)?|pokaz mi(?: jak)?|pomoz mi|
        instrukcj\\w+|kroki|przepis(?: na)?|poradnik|sposob\\w*(?: na)?|metod\\w+(?: na)?|porad\\w+|wskazowk\\w+|triki|gdzie (?:moge|mozna|kupic|znajde)|(?:czego|jakich|jakie|co)(?: \\w+)? (?:potrzebuje|potrzeba|potrzebne|sa potrzebne)(?: do| zeby| aby)?|krok po kroku(?: jak)?|szukam|chce zobaczyc|napisz(?: mi)?|wygeneruj|opisz|opowiedz(?: mi)?|podaj(?: mi)?|czy mozna|czy moge""",
    asked={
        "S1": (
            "(?:zabic|zamordowac|otruc|udusic|porwac|dzgnac|torturowac|pobic na smierc|zastrzelic|zlikwidowac|sprzatnac) {person}",
            "(?:wynajac|znalezc|zatrudnic) .. (?:platnego zabojce|zabojce|morderce)",
            "(?:pozbyc sie|ukryc|zakopac|rozpuscic|zutylizowac) .. (?:zwlok|ciala|cialo|zwloki)",
            "(?:dokonac|popelnic|zaplanowac|przeprowadzic|zrobic) .. (?:morderstw\\w+|zamach\\w*|zabojstw\\w+|masakr\\w+|strzelanin\\w+|atak\\w* terrorystyczn\\w+|porwani\\w+)",
        ),
        "S2": (
            "(?:zrobic|ugotowac|wyprodukowac|gotowac|robic|produkowac|zsyntetyzowac|sprzedawac|przemycic|przemycac|sprzedac|robi sie|produkuje sie|wytwarza sie) .. {drug}",
            "(?:kupic|zdobyc|zalatwic) .. (?:bron|pistolet|{drug}) .. (?:nielegalnie|bez (?:pozwolenia|zezwolenia)|na czarnym rynku|w darknecie|w dark ?webie)|(?:kupic|zdobyc) (?:nielegalna bron|narkotyki)",
            "(?:podrobic|wydrukowac|sfalszowac|falszowac|podrabiac|drukowac|zrobic) .. (?:pieniadze|banknot\\w*|falszyw\\w+ \\w+|paszport|dowod osobisty|dokument\\w*|recept\\w+|podpis|prawo jazdy)",
            "(?:wyprac|prac) (?:brudne )?pieniadze",
            "(?:okrasc|obrabowac|ukrasc|krasc|napasc na|wlamac sie do|wlamac sie na) .. (?:bank\\w*|samochod\\w*|auto|sklep\\w*|dom\\w*|jubiler\\w*|mieszkani\\w+|bankomat\\w*|rower|kart\\w+ kredytow\\w+|sasiad\\w*|stacj\\w+|muzeum)",
            "(?:napisac|stworzyc|zaprogramowac|zrobic|rozsylac) .. (?:wirus\\w* komputerow\\w*|malware|ransomware|keylogger\\w*|trojan\\w*|stron\\w+ phishingow\\w+|phishing)",
            "(?:zhakowac|shakowac|zhackowac) .. (?:bank\\w*|serwer\\w*|siec|wifi|stron\\w+|baz\\w+ danych|bankomat\\w*)",
            "(?:oszukac|szantazowac|przekupic|wymusic pieniadze od|wyludzic pieniadze od|wyludzic kredyt|wyludzic odszkodowanie) .. (?:{person}|emeryt\\w*|staruszk\\w+|sedzi\\w+|urzednik\\w*|urzad skarbowy|ubezpieczen\\w*|na)?",
            "(?:podpalic|spalic) .. (?:dom|szkole|samochod|budynek|sklep|kosciol|las|meczet)",
        ),
        "S3": (
            "(?:zgwalcic|molestowac|wykorzystac seksualnie|obmacywac) (?:kobiete|dziewczyne|kolezanke|kogos|zone|sasiadke)?",
            "(?:dosypac|dodac|wrzucic) .. (?:pigulke gwaltu|ghb|narkotyk|cos|tabletke) .. (?:do drinka|do napoju|do szklanki|do kieliszka)",
            "(?:opublikowac|udostepnic|rozeslac|wrzucic|sprzedac) .. (?:nagie|intymne|rozbierane) .. (?:zdjecia|filmy|filmiki) .. (?:byl\\w+|dziewczyn\\w+|kolezank\\w+|ex)",
            "(?:ukryc|zamontowac|zainstalowac) .. kamer\\w+ .. (?:toalec\\w+|lazienc\\w+|szatni\\w*|prysznic\\w*|przebieraln\\w+)",
        ),
        "S4": (
            "(?:pornografi\\w+ dzieciec\\w+|dzieciec\\w+ pornografi\\w+|porno z dziecmi|pedofilsk\\w+ (?:filmy|zdjecia|materialy))",
            "(?:seks|uprawiac seks|wspolzyc) z {minor}",
            "(?:zgwalcic|uwiesc|molestowac|wykorzystac seksualnie) {minor}",
        ),
        "S5": (
            "(?:rozpuscic|rozsiewac|rozpowszechniac|wymyslic|rozpowszechnic) .. (?:plotk\\w+|klamstw\\w+|oszczerstw\\w+|falszyw\\w+ oskarzeni\\w+) (?:o|na temat|przeciwko)",
            "(?:zniszczyc|zrujnowac) .. (?:reputacje|dobre imie) .. (?:klamstw\\w+|plotk\\w+|szef\\w*|sasiad\\w*|byl\\w+|kogos)",
        ),
        "S7": (
            "(?:wlamac sie na|wlamac sie do|zhakowac|shakowac|podsluchac|szpiegowac|przejac|czytac) .. (?:telefon\\w*|whatsapp\\w*|messenger\\w*|instagram\\w*|facebook\\w*|kont\\w+|wiadomosci|snapchat\\w*|poczt\\w+|maila|skrzynk\\w+) .. (?:dziewczyn\\w+|chlopak\\w+|zon\\w+|mez\\w+|byl\\w+|ex|partner\\w*|kogos|kolezank\\w+|szef\\w*)",
            "(?:sledzic|szpiegowac|namierzyc|podsluchiwac) {person} .. {secretly}",
            "(?:znalezc|ustalic|dowiedziec sie|zdobyc) .. (?:adres|gdzie mieszka) .. (?:byl\\w+|ex|dziewczyn\\w+|obcej|kogos|kobiety)",
            "(?:ukrasc|wykrasc|wyludzic) .. (?:tozsamosc|hasl\\w+|dane (?:osobowe|bankowe|karty))",
        ),
        "S8": (
            "(?:pobrac|sciagnac|zdobyc|znalezc) .. (?:pirack\\w+|scrackowan\\w+|nielegalnie|crack\\w*)",
            "(?:scrackowac|spiracic|zlamac zabezpieczenia) .. (?:gr\\w+|program\\w*|photoshop\\w*|windows\\w*|drm)",
        ),
        "S9": (
            "(?:zrobic|zbudowac|skonstruowac|zlozyc|wyprodukowac|robi|buduje|zrobienia|budowy|wytworzenia|produkcji|stworzyc|zdetonowac|podlozyc|kupic|przygotowac|zsyntetyzowac|konstrukcj\\w+) .. {weapon}",
        ),
        "S10": (
            "(?:rasistowsk\\w+|antysemick\\w+|homofobiczn\\w+|ksenofobiczn\\w+|nazistowsk\\w+|seksistowsk\\w+) (?:zart\\w*|dowcip\\w*|kawal\\w*|wiersz\\w*|przemowien\\w+|mem\\w*|obelg\\w*|piosenk\\w+)",
            "(?:zabic|wymordowac|wytepic|zagazowac|eksterminowac) (?:wszystkich )?{group}|(?:zarty|dowcipy|kawaly) o (?:zydach|murzynach|cyganach|gejach|pedalach)",
        ),
        "S11": (
            "(?:sie zabic|zabic sie|popelnic samobojstwo|odebrac sobie zycie|powiesic sie|sie powiesic|podciac sobie zyly|skonczyc ze soba|zakonczyc (?:swoje )?zycie|umrzec bez bolu|bezbolesnie umrzec|ciac sie tak|sie ciac|samookalecz\\w+|zrobic sobie krzywde)",
        ),
        "S12": (
            "(?:erotyczn\\w+|pornograficzn\\w+|sprosn\\w+) (?:opowiadani\\w+|histori\\w+|scen\\w+|tekst\\w*|fantazj\\w+|dialog\\w*)",
            "(?:filmy porno|strony porno|darmowe porno|scen\\w+ seksu|nagie zdjecia kobiet|pornosy)",
        ),
        "S13": (
            "(?:sfalszowac|zmanipulowac|zhakowac|ukrasc|sabotowac|kupic) .. (?:wybory|wyborow|glosy|glosow|karty do glosowania|referendum)",
            "(?:zaglosowac|glosowac) (?:dwa razy|dwukrotnie|kilka razy)",
            "(?:rozpowszechniac|szerzyc|publikowac) .. (?:falszyw\\w+ informacj\\w+|dezinformacj\\w+|fake newsy) .. (?:wybor\\w+|glosowani\\w+)",
        ),
    },
    said={
        "S9": ("(?:przepis na|instrukcja (?:budowy|wykonania)|schemat) (?:\\w+ ){0,2}{weapon}",),
        "S4": (
            "(?:nagi\\w+|rozebran\\w+) (?:zdje\\w+|fot\\w+|film\\w+) (?:malych |nieletnich |z )*(?:dzieci|dziecmi|dziewczynek|nieletnich|maloletnich|dziewczynkami)|(?:zdje\\w+|fot\\w+|film\\w+|video) (?:nagich|rozebranych) (?:dzieci|dziewczynek|nieletnich)",
        ),
        "S2": ("(?:ukrasc|krasc|oszukac|przemycic|wlamac sie|podrobic|sfalszowac|zhakowac) ... {secretly}",),
        "S1": ("(?:zabic|zamordowac|otruc|porwac|pobic|udusic) {person} ... {secretly}",),
        "S10": (
            "dlaczego (?:wszyscy )?{group} sa (?:tacy |takie |tak )?(?:gorsi|gorsze|glupi\\w*|brudn\\w+|przestepcami|leniwi\\w*|podludzmi|obrzydliw\\w+)",
            "{group} (?:sa|to) (?:wszyscy )?(?:podludzi\\w*|robactwo|pasozyt\\w*|smiecie|zwierzeta|szczury|scierwa|bydlo)|(?:jebani|pierdoleni|brudni) {group}|{group} do gazu",
        ),
        "S11": (
            "(?:najlatwiejsz\\w+|najszybsz\\w+|bezbolesn\\w+|najlepsz\\w+|najmniej bolesn\\w+) (?:sposob|metod\\w|sposoby) (?:na )?(?:smierc|samobojstwo|zeby umrzec|zabicie sie|na smierc|by umrzec|aby umrzec)",
        ),
    },
    unless={
        "": """zapobie\\w+|zapobieganie|uniknac|chronic|ochron\\w+|zglosic|zglaszac|zgloszenie|wykryc|rozpoznac|oznaki|objawy|ofiar\\w*|telefon zaufania|histori\\w+|historyczn\\w+|muzeum wojny|dokument o|referat|wypracowanie|prawo|ustaw\\w+|przestepstwo|kara za|skazan\\w+|
            przetlumacz\\w*|tlumaczenie|znaczy|oznacza|pomoc (?:przyjaciel|koleg|kolezan|komus)\\w*|przyjaciel\\w+ ktor\\w+|psycholog\\w*|terapeut\\w*|wypad\\w+|do kapieli|kulek? do kapieli|bombk\\w+|wodn\\w+|kaloryczn\\w+|nasienn\\w+|rozbro\\w+|saper\\w*|
            druga wojna|drugiej wojny|zimn\\w+ wojn\\w+|karaluch\\w*|szczur\\w* w|mysz\\w*|komar\\w*|mrowk\\w*|czas|nude|nudy|teatr\\w*|monopol\\w*|granat owoc|owoc\\w*|sok z granat\\w+|z granatem|salat\\w+|proces""",
        "fiction": "film\\w*|powiesc\\w*|kryminal\\w*|serial\\w*|postac|bohater\\w*|gr[ayze]|grze|minecraft|gta|piosenk\\w+",
    },
)
