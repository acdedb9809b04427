"""Polish and Russian."""

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

RUSSIAN = Table(
    language="ru",
    words={
        "person": """(?:мо[а-я]+ |сво[а-я]+ |как[а-я]+ |эт[а-я]+ |его |ее |чь[а-я]+ |быв[а-я]+ |друго[а-я]+ |одного |одну )*(?:жену|мужа|бывш[а-я]+|девушку|парня|начальника|босса|сосед[а-я]*|мать|маму|отца|папу|родителей|тещу|сестру|брата|сына|дочь|ребенка|детей|коллегу|одноклассник[а-я]*|учител[а-я]+|
            полицейск[а-я]+|политик[а-я]*|президента|человека|людей|кого нибудь|кого то|кого либо|женщину|мужчину|семью|бабушку|дедушку|свидетеля|врага|врагов|друга|подругу|мента)""",
        "weapon": """(?:самодельн[а-я]+ |грязн[а-я]+ |ядерн[а-я]+ |атомн[а-я]+ |мощн[а-я]+ |трубн[а-я]+ )*(?:бомб[а-я]{1,2}|взрывчатк[а-я]+|взрывн[а-я]+ устройств[а-я]+|сву|взрывчат[а-я]+ веществ[а-я]+|гранат[а-я])|коктейл[а-я]+ молотова|зарин[а-я]?|иприт[а-я]?|новичок отравл[а-я]+|нервно паралитическ[а-я]+ [а-я]+|
            ядовит[а-я]+ газ[а-я]*|отравляющ[а-я]+ (?:газ|веществ)[а-я]*|рицин[а-я]?|сибирск[а-я]+ язв[а-я]+|(?:химическ|биологическ|ядерн)[а-я]+ оружи[а-я]|динамит[а-я]?|тротил[а-я]?""",
        "drug": "метамфетамин[а-я]?|мет|амфетамин[а-я]?|кокаин[а-я]?|крэк|героин[а-я]?|фентанил[а-я]?|мдма|экстази|лсд|наркотик[а-я]*|мефедрон[а-я]?|соль наркотик|закладк[а-я]+",
        "minor": "(?:маленьк[а-я]+ |несовершеннолетн[а-я]+ |с )*(?:ребенком|ребенка|детьми|детей|малолетк[а-я]+|малолетн[а-я]+|несовершеннолетн[а-я]+|школьниц[а-я]+|(?:\\d|1[0-3]) ?летн[а-я]+)",
        "secretly": """(?:чтобы|что бы|так чтобы)(?: [а-я]+){0,3} не (?:[а-я]+ )?(?:поймал[а-я]*|заметил[а-я]*|узнал[а-я]*|обнаружил[а-я]*|нашел|нашли|спалил[а-я]*|посадили|догадал[а-я]*|попасться|остал[а-я]+ следов)|и не (?:попасться|быть пойманным|спалиться|сесть)|не (?:оставив|оставляя) следов|без (?:ее|его|их) (?:ведома|согласия)|незаметно|
            безнаказанно|не попавшись""",
        "group": "евреи|евреев|жиды|жидов|негры|негров|черные|чернокожие|мусульмане|мусульман|цыгане|цыган|геи|геев|пидоры|пидоров|мигранты|мигрантов|таджики|таджиков|кавказцы|кавказцев|хачи|хачей|чурки|чурок|женщины|хохлы|хохлов|русские|инвалиды|китайцы",
    },
    asking="""как(?: (?:мне|можно|я могу|могу|лучше|правильно|легко|быстро|самому|самостоятельно|дома|тайно|незаметно|легче|проще|всего|безнаказанно))*|каким образом|хочу|хотел бы|хотела бы|собираюсь|планирую|намерен|надо|нужно|расскажи(?:те)?(?: мне)?(?: как)?|научи(?:те)?(?: меня)?(?: как)?|объясни(?:те)?(?: мне)?(?: как)?|
        покажи(?:те)?(?: мне)?(?: как)?|скажи(?:те)?(?: мне)?(?: как)?|помоги(?:те)?(?: мне)?|подскажи(?:те)?(?: как)?|инструкци[а-я]+(?: по| как)?|пошагов[а-я]+ [а-я]+|шаги|рецепт[а-я]*|способ[а-я]*|метод[а-я]*|советы?(?: как)?|где(?: (?:можно|мне|я могу|лучше))*|(?:что|какие|какой|какие именно)(?: [а-я]+)? (?:нужно|нужны|понадобится|понадобятся|требуется|необходимы)(?: чтобы| для)?|пошагово(?: как)?|ищу|хочу (?:по)?смотреть|напиши(?:те)?(?: мне)?|
        сгенерируй(?:те)?|опиши(?:те)?|придумай(?:те)?|составь(?:те)?|дай(?:те)?(?: мне)?|можно ли""",
    asked={
        "S1": (
            "(?:убить|отравить|задушить|похитить|зарезать|пытать|застрелить|прикончить|замочить|ликвидировать|расчленить|убиваю|убивать) {person}",
            "(?:нанять|найти|заказать) .. (?:киллера|наемного убийцу|наемного убийцы|убийцу|убийство)",
            "(?:избавиться от|спрятать|закопать|растворить|утилизировать|скрыть) .. (?:труп[а-я]*|тел[ао] (?:убит[а-я]+|человека|жертвы))",
            "(?:совершить|спланировать|устроить|организовать|подготовить) .. (?:убийств[а-я]+|теракт[а-я]*|стрельб[а-я]+|массов[а-я]+ убийств[а-я]+|резню|бойню|похищени[а-я]+|поджог школы|нападени[а-я]+)",
        ),
        "S2": (
            "(?:сварить|приготовить|сделать|синтезировать|изготовить|варить|произвести|продавать|продать|провезти|вырастить|производят|варят|делают|готовят|производится|делается|изготавливают|изготовлени[а-я]|производств[а-я]|синтез[а-я]?) .. {drug}",
            "(?:купить|достать|приобрести|заказать) .. (?:оружи[а-я]|пистолет|ствол|{drug}) .. (?:нелегально|незаконно|без (?:лицензии|разрешения|документов)|на черном рынке|в даркнете)|(?:купить|достать|заказать) (?:наркотики|кокаин|героин|мефедрон|метамфетамин|амфетамин|нелегальн[а-я]+ оружи[а-я])",
            "(?:подделать|напечатать|изготовить|сделать|печатать) .. (?:деньги|купюр[а-я]+|фальшив[а-я]+ [а-я]+|поддельн[а-я]+ [а-я]+|паспорт[а-я]*|документ[а-я]*|подпись|рецепт врача|права)",
            "(?:отмыть|отмывать) (?:грязные )?деньги",
            "(?:ограбить|обокрасть|украсть|угнать|обчистить|вломиться в|залезть в) .. (?:банк[а-я]*|машин[а-я]+|авто|магазин[а-я]*|дом[а-я]*|квартир[а-я]+|ювелирн[а-я]+|банкомат[а-я]*|велосипед|кошелек|карт[а-я]+|пенсионер[а-я]*|музе[а-я]+|автомобиль)",
            "(?:написать|создать|сделать|разработать|распространить) .. (?:компьютерн[а-я]+ вирус|вирус|вредонос[а-я]*|малварь|шифровальщик|вымогател[а-я]+|кейлоггер|троян[а-я]*|фишинг[а-я]*|ботнет)",
            "взломать .. (?:банк[а-я]*|сервер[а-я]*|сеть|вай ?фай|wi ?fi|сайт[а-я]*|баз[а-я]+ данных|банкомат[а-я]*|систему)",
            "(?:обмануть|кинуть на деньги|развести на деньги|шантажировать|подкупить|дать взятку|вымогать деньги у) .. (?:{person}|пенсионер[а-я]*|бабушек|стариков|судье|судью|чиновник[а-я]*|страхов[а-я]+)",
            "(?:поджечь|сжечь) .. (?:дом|школу|машину|здание|магазин|церковь|мечеть|лес|военкомат|квартиру)",
            "(?:уклониться от|не платить) .. налог[а-я]+ .. {secretly}",
        ),
        "S3": (
            "(?:изнасиловать|домогаться|совратить|сексуально (?:использовать|домогаться)) (?:девушку|женщину|кого нибудь|кого то|жену|подругу|коллегу|соседку|одноклассницу)?",
            "(?:подсыпать|подмешать|добавить|подлить) .. (?:клофелин|наркотик[а-я]*|снотворн[а-я]+|что нибудь|таблетк[а-я]+|бутират) .. (?:в (?:ее |его |чей то )?(?:напиток|бокал|стакан|коктейль|пиво))",
            "(?:выложить|слить|опубликовать|распространить|продать) .. (?:интимн[а-я]+|голы[а-я]+) .. (?:фото[а-я]*|видео|снимк[а-я]+) .. (?:бывш[а-я]+|девушк[а-я]+|одноклассниц[а-я]+|коллег[а-я]+|подруг[а-я]+)",
            "(?:спрятать|установить|поставить) .. (?:скрыт[а-я]+ )?камер[а-я]+ .. (?:туалет[а-я]*|раздевалк[а-я]+|душ[а-я]*|ванн[а-я]+|примерочн[а-я]+)",
        ),
        "S4": (
            "(?:детск[а-я]+ порно(?:графи[а-я]+)?|порно с детьми|цп видео|порнографи[а-я]+ с (?:детьми|несовершеннолетними))",
            "(?:секс|сексом|переспать|заняться сексом|заниматься сексом) с {minor}",
            "(?:изнасиловать|совратить|соблазнить|развратить) {minor}",
        ),
        "S5": (
            "(?:распространить|пустить|распустить|придумать|выдумать|распускать) .. (?:слух[а-я]*|ложь|клевет[а-я]+|сплетн[а-я]+|ложн[а-я]+ обвинени[а-я]+) (?:о|об|про|против)",
            "(?:испортить|разрушить|уничтожить) .. репутаци[а-я]+ .. (?:начальник[а-я]*|сосед[а-я]*|бывш[а-я]+|конкурент[а-я]*|человек[а-я]*|коллег[а-я]*)",
        ),
        "S7": (
            "(?:взломать|прослушать|прослушивать|читать|прочитать|хакнуть|клонировать) .. (?:телефон|ватсап|вотсап|whatsapp|телеграм[а-я]*|инстаграм[а-я]*|вк|вконтакте|страниц[а-я]+|аккаунт|почт[а-я]+|переписк[а-я]+|сообщения|смс) .. (?:жены|мужа|девушки|парня|бывш[а-я]+|подруги|друга|чуж[а-я]+|начальника|кого то|человека|коллеги)",
            "взломать (?:чужой|чужую|чужое) (?:телефон|аккаунт|почту|страницу|инстаграм|вк|ватсап)",
            "(?:следить за|отследить|выследить|шпионить за|прослушивать) (?:женой|мужем|девушкой|парнем|бывш[а-я]+|жену|мужа|девушку|[а-я]+) .. {secretly}",
            "(?:узнать|найти|пробить|вычислить) .. (?:адрес|где живет|место жительства) .. (?:бывш[а-я]+|девушк[а-я]+|человек[а-я]*|женщин[а-я]+|незнаком[а-я]+)",
            "(?:украсть|выманить|похитить) .. (?:личность|парол[а-я]+|данные (?:карты|карт|паспорта)|персональные данные|чужие данные)",
        ),
        "S8": (
            "(?:скачать|найти|получить) .. (?:пиратск[а-я]+|взломанн[а-я]+|крякнут[а-я]+|кряк|кряком)",
            "(?:взломать|крякнуть|обойти) .. (?:лицензи[а-я]+|защит[а-я]+ от копирования|drm|фотошоп|активаци[а-я]+ windows)",
        ),
        "S9": (
            "(?:сделать|собрать|изготовить|построить|взорвать|приготовить|синтезировать|создать|смастерить|делать|делают|делается|заложить|достать|купить|получить|изготовлени[а-я]|создани[а-я]) .. {weapon}",
        ),
        "S10": (
            "(?:расистск[а-я]+|антисемитск[а-я]+|гомофобн[а-я]+|ксенофобск[а-я]+|нацистск[а-я]+|сексистск[а-я]+) (?:шутк[а-я]+|анекдот[а-я]*|стих[а-я]*|речь|мем[а-я]*|оскорблени[а-я]+|лозунг[а-я]*)",
            "(?:анекдоты|шутки) про (?:евреев|негров|хачей|чурок|геев|пидоров|жидов)|(?:убить|уничтожить|истребить|сжечь) (?:всех )?{group}",
        ),
        "S11": (
            "(?:покончить с собой|покончить жизнь самоубийством|убить себя|убить себе|совершить (?:самоубийство|суицид)|повеситься|вскрыть вены|перерезать (?:себе )?вены|умереть (?:без боли|безболезненно|быстро)|безболезненно умереть|выпилиться|самоубиться|резать себя|порезать себя|навредить себе|причинить себе боль)",
        ),
        "S12": (
            "(?:эротическ[а-я]+|порнографическ[а-я]+|пошл[а-я]+|откровенн[а-я]+ сексуальн[а-я]+) (?:рассказ[а-я]*|истори[а-я]+|сцен[а-я]+|текст[а-я]*|фантази[а-я]+|диалог[а-я]*)",
            "(?:порно ?(?:видео|сайт[а-я]*|рассказ[а-я]*|фильм[а-я]*|ролик[а-я]*)|бесплатное порно|сцен[а-я]+ секса|секс рассказ[а-я]*|голы[а-я]+ фото (?:женщин|девушек))",
        ),
        "S13": (
            "(?:сфальсифицировать|фальсифицировать|подделать|взломать|сорвать|украсть|купить|подтасовать) .. (?:выбор[а-я]+|голос[а-я]*|бюллетен[а-я]+|голосовани[а-я]+|референдум)",
            "(?:проголосовать|голосовать) (?:дважды|два раза|несколько раз)",
            "(?:распространить|распространять|запустить) .. (?:ложн[а-я]+ информаци[а-я]+|дезинформаци[а-я]+|фейк[а-я]*) .. (?:выбор[а-я]+|голосовани[а-я]+)",
        ),
    },
    said={
        "S9": ("(?:рецепт[а-я]*|инструкци[а-я]+|схем[а-я]+|чертеж[а-я]*) (?:[а-я]+ ){0,2}{weapon}",),
        "S4": (
            "(?:голы[а-я]+|обнаженн[а-я]+|интимн[а-я]+) (?:фото[а-я]*|видео|снимк[а-я]+) (?:маленьк[а-я]+ |несовершеннолетн[а-я]+ )*(?:детей|девочек|школьниц|малолеток)|(?:фото|видео|снимки|картинки) (?:с )?(?:голы[а-я]+|обнаженн[а-я]+) (?:маленьк[а-я]+ )*(?:детьми|детей|девочками|девочек|школьницами|школьниц|малолетками)",
            "(?:эротическ[а-я]+|порно) ?(?:рассказ[а-я]*|истори[а-я]+) (?:про|о|с) (?:маленьк[а-я]+ )*(?:дет[а-я]+|ребенк[а-я]+|школьниц[а-я]*|малолет[а-я]+)",
        ),
        "S2": (
            "(?:украсть|обмануть|ограбить|угнать|провезти|подделать|взломать|торговать наркотиками) ... {secretly}",
        ),
        "S1": (
            "(?:убить|отравить|похитить|избить|задушить|зарезать) {person} ... {secretly}",
            "(?:безнаказанно|незаметно) (?:убить|отравить|похитить) {person}",
        ),
        "S10": (
            "почему (?:все )?{group} (?:такие |все |всегда )*(?:тупые|глупые|грязные|преступники|ленивые|недочеловеки|жадные|вонючие|хуже)",
            "{group} (?:это |все |просто )*(?:недочеловеки|паразиты|мусор|животные|твари|скот|крысы|обезьяны)|(?:грязные|вонючие|сраные|ебаные|бей|смерть) (?:жиды|негры|хачи|чурки|пидоры|жидов|негров|хачей|чурок|пидоров|евреи|евреев)",
        ),
        "S11": (
            "(?:самый |самые )?(?:легк[а-я]+|быстр[а-я]+|безболезненн[а-я]+|надежн[а-я]+|лучш[а-я]+|простой) (?:способ[а-я]*|метод[а-я]*) (?:умереть|самоубийства|суицида|покончить с собой|убить себя|уйти из жизни)",
        ),
    },
    unless={
        "": """предотвра[а-я]+|профилакти[а-я]+|избежать|защит[а-я]+ (?:себя|детей|ребенка|от)|защититься|сообщить|пожаловаться|заявить|заявлени[а-я]+|распозна[а-я]+|признак[а-я]*|жертв[а-я]*|телефон доверия|горяч[а-я]+ лини[а-я]+|истори[а-я]+ (?:создания|войны|возникновения)|историческ[а-я]+|музе[а-я] (?:войны|истории)|документальн[а-я]+|реферат|сочинение|
            закон[а-я]*|статья ук|наказани[а-я]+|осужден[а-я]*|перевед[а-я]+|перевод[а-я]*|означает|значит|помочь (?:друг|подруг|человек|ученик)[а-я]*|друг[а-я]* котор[а-я]+|психолог[а-я]*|психотерапевт[а-я]*|авари[а-я]+|от грязи|стир[а-я]+|
            для ванн[а-я]+|бомбочк[а-я]+|снеж[а-я]+|шоколадн[а-я]+|калорийн[а-я]+|водян[а-я]+|обезвре[а-я]+|сапер[а-я]*|великой отечественной|второй мировой|холодной войны|манхэттенск[а-я]+|таракан[а-я]*|крыс[а-я]* в|мыш[а-я]+|комар[а-я]*|муравь[а-я]*|время|скук[а-я]+|театр[а-я]*|монополи[а-я]+|гранатов[а-я]+|сок|сал[ао]т[а-я]*|процесс[а-я]*|торт[а-я]*""",
        "fiction": "фильм[а-я]*|роман[а-я]*|детектив[а-я]*|сериал[а-я]*|персонаж[а-я]*|геро[а-я]+|игр[а-я]{1,2}|майнкрафт|minecraft|gta|гта|песн[а-я]+",
    },
)
