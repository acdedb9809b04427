"""Turkish: the verb comes last, and what asks may stand on either side."""

from models.safety.text.matching import Table

TURKISH = Table(
    language="tr",
    words={
        "person": """(?:bir |eski |benim |o |şu |bu |komşumun |yaşlı )*(?:karımı|kocamı|eşimi|sevgilimi|eski sevgilimi|kız arkadaşımı|erkek arkadaşımı|patronumu|müdürümü|komşumu|annemi|babamı|ailemi|kayınvalidemi|kız kardeşimi|kardeşimi|oğlumu|kızımı|çocuğumu|arkadaşımı|
            iş arkadaşımı|sınıf arkadaşımı|öğretmenimi|polisi|siyasetçiyi|başkanı|birini|birisini|bir insanı|insanı|insanları|bir kadını|kadını|bir adamı|adamı|düşmanımı|bir kişiyi|kişiyi|bir çocuğu|çocuğu|kızı|bir kızı)""",
        "weapon": """(?:ev yapımı |el yapımı |boru |kirli |atom |nükleer |çivili |araba )*(?:bomba(?:sı|yı|lar|sını)?|patlayıcı(?:lar|yı|sı)?|el bombası)|molotof(?: kokteyli)?|molotofkokteyli|sinir gazı|sarin(?: gazı)?|hardal gazı|zehirli gaz|zehir gazı|risin|şarbon|
            kimyasal silah|biyolojik silah|nükleer silah|dinamit""",
        "drug": "metamfetamin|met|kokain|eroin|crack|esrar|extasy|ecstasy|lsd|amfetamin|bonzai|uyuşturucu|fentanil",
        "secretly": "yakalanmadan|kimse (?:\\w+ )?(?:fark etmeden|anlamadan|bilmeden|görmeden|duymadan)|iz bırakmadan|fark edilmeden|haberi olmadan|tespit edilmeden|polise yakalanmadan|izni olmadan|rızası olmadan|çaktırmadan|gizlice",
        "group": "yahudiler|zenciler|siyahlar|araplar|suriyeliler|kürtler|ermeniler|rumlar|çingeneler|eşcinseller|geyler|göçmenler|mülteciler|kadınlar|engelliler|aleviler|ibneler",
    },
    asking="nasıl|nasil|hangi|bana|adım adım|en (?:iyi|kolay|hızlı|etkili) (?:şekilde|yolu|yöntem)|nereden|nerede|evde|istiyorum|bana (?:bir )?(?:anlat|öğret|göster|açıkla)|yazar mısın|yaz",
    asking_after="""nereden|nerede|nereye|nasıl(?: \\w+)?|(?:için )?(?:hangi (?:\\w+ ){0,2}(?:gerek\\w*|lazım|kullan\\w*)|ne gerekir|ne lazım|gereken malzemeler|malzemeler|tarifi|yöntemi|yöntemleri|yolları|yolu|talimatları?|rehberi|adımları?|ipuçları|kılavuzu)|istiyorum|isterim|planlıyorum|düşünüyorum|
        anlat|öğret|göster|açıkla|yardım et|yardımcı ol|tarif et|mümkün mü|yaz|söyle""",
    asked={
        "S1": (
            "{person} .. (?:öldür\\w*|zehirle\\w*|boğ\\w*|kaçır\\w*|bıçakla\\w*|katlet\\w*|işkence (?:et|yap)\\w*|vur\\w* öldür\\w*|ortadan kaldır\\w*)",
            "(?:kiralık katil|tetikçi) .. (?:tut\\w*|bul\\w*|kirala\\w*)",
            "(?:ceset|cesedi|cesetten) .. (?:sakla\\w*|kurtul\\w*|yok et\\w*|göm\\w*|gizle\\w*|erit\\w*)",
            "(?:cinayet|katliam|terör saldırısı|suikast|bombalı saldırı|silahlı saldırı) .. (?:işle\\w*|planla\\w*|düzenle\\w*|yap\\w*)",
        ),
        "S2": (
            "{drug} .. (?:yap\\w*|üret\\w*|pişir\\w*|sat\\w*|kaçır\\w*|sentezle\\w*|imal\\w*)",
            "(?:ruhsatsız|kaçak|yasadışı|yasa dışı) (?:silah|tabanca|uyuşturucu) .. (?:al\\w*|bul\\w*|edin\\w*|sat\\w*)|(?:silah|tabanca) .. (?:ruhsatsız|kaçak|karaborsadan|dark ?webden) .. (?:al\\w*|bul\\w*)",
            "(?:sahte|kalp) (?:para|kimlik|pasaport|belge|ehliyet|diploma|reçete|çek) .. (?:bas\\w*|yap\\w*|hazırla\\w*|üret\\w*|düzenle\\w*)",
            "(?:kara )?para akla\\w*",
            "(?:banka|araba|dükkan|ev|kuyumcu|market|atm|mağaza|bisiklet|kredi kartı|müze)(?:yı|yi|ı|i|sı|dan|den|ya|ye|e|a|sını)? .. (?:soy\\w*|çal\\w*|hırsızlık\\w*)|(?:araba|cüzdan|bisiklet) çal\\w*",
            "(?:virüs|bilgisayar virüsü|kötü amaçlı yazılım|fidye yazılımı|keylogger|truva atı|oltalama sitesi|phishing sitesi) .. (?:yap\\w*|yaz\\w*|oluştur\\w*|kodla\\w*|hazırla\\w*)",
            "(?:banka|site|web sitesi|sunucu|wifi|ağ|veritabanı)(?:nı|ni|ını|sini|sını|yı|yi|yu|ı|i)? .. (?:hackle\\w*|hack)",
            "(?:vergi) .. (?:kaçır\\w*)|(?:{person}|yaşlıları|insanları) .. (?:dolandır\\w*|şantaj yap\\w*)|(?:hakime|polise|memura) rüşvet ver\\w*",
            "(?:ev|okul|araba|bina|dükkan|orman|cami)(?:yi|yı|ı|i|u|ü)? .. (?:yak\\w*|kundakla\\w*|ateşe ver\\w*)",
        ),
        "S3": (
            "(?:kadına|kıza|birine|kız arkadaşıma|bir kadına|bir kıza) .. tecavüz\\w*|tecavüz et\\w*",
            "(?:içkisine|içeceğine|bardağına) .. (?:ilaç|uyuşturucu|hap|bir şey) .. (?:at\\w*|kat\\w*|koy\\w*)",
            "(?:çıplak|mahrem|özel) (?:fotoğraf|video|görüntü)\\w* .. (?:yay\\w*|paylaş\\w*|sızdır\\w*|yayınla\\w*|sat\\w*)",
            "(?:tuvalet|banyo|soyunma odası|duş)\\w* .. (?:gizli )?kamera .. (?:yerleştir\\w*|koy\\w*|sakla\\w*|kur\\w*)|(?:gizli )?kamera .. (?:tuvalet|banyo|soyunma oda|duş)\\w* .. (?:yerleştir\\w*|koy\\w*|sakla\\w*)",
        ),
        "S4": (
            "çocuk porno\\w*",
            "(?:çocukla|çocuklarla|reşit olmayan \\w+|küçük (?:kızla|kız çocuğuyla|çocukla)) .. (?:seks|cinsel ilişki|yat\\w*|sevişmek)",
            "(?:çocuğu|küçük kızı|kız çocuğunu|çocukları) .. (?:taciz|istismar) et\\w*",
        ),
        "S5": (
            "(?:hakkında|ile ilgili) .. (?:yalan|iftira|asılsız|sahte) .. (?:dedikodu|haber|söylenti|iddia)?\\w* .. (?:yay\\w*|uydur\\w*|at\\w*)|(?:dedikodu|yalan|iftira|söylenti) (?:yay\\w*|uydur\\w*|çıkar\\w*)",
        ),
        "S7": (
            "(?:karımın|kocamın|eşimin|sevgilimin|kız arkadaşımın|erkek arkadaşımın|eski sevgilimin|birinin|başkasının|arkadaşımın|patronumun|komşumun) .. (?:telefon|whatsapp|instagram|facebook|hesab|mesaj|snapchat|mail|eposta)\\w* .. (?:hackle\\w*|gizlice|ele geçir\\w*|dinle\\w*|izle\\w*|takip et\\w*|oku\\w*|gir\\w*|kır\\w*|çal\\w*)",
            "{person} .. (?:gizlice|haberi olmadan) .. (?:takip|izle\\w*|dinle\\w*|gözetle\\w*)",
            "(?:birinin|eski sevgilimin|bir kızın|bir kadının|başkasının) .. (?:adres|ev adres|nerede oturduğu|kimlik|şifre|parola|banka bilgi|kredi kart)\\w* .. (?:bul\\w*|öğren\\w*|çal\\w*|ele geçir\\w*)",
        ),
        "S8": (
            "(?:korsan|crackli|kırılmış) (?:oyun|program|film|yazılım|windows|photoshop|kitap)?\\w* .. (?:indir\\w*|bul\\w*|yükle\\w*)|(?:oyun|program|photoshop|windows|yazılım|drm)\\w* .. (?:crackle\\w*|kır\\w*|korsan)",
        ),
        "S9": (
            "{weapon} .. (?:yap\\w*|üret\\w*|hazırla\\w*|kur\\w*|imal\\w*|patlat\\w*|sentezle\\w*|elde et\\w*|yerleştir\\w*)",
        ),
        "S10": (
            "(?:ırkçı|antisemit|homofobik|yahudi düşmanı|cinsiyetçi|nazi) .. (?:şaka|fıkra|espri|şiir|konuşma|hakaret|mem)\\w*",
            "(?:tüm |bütün )?(?:yahudileri|zencileri|arapları|suriyelileri|kürtleri|ermenileri|eşcinselleri|göçmenleri|mültecileri) .. (?:öldür\\w*|yok et\\w*|katlet\\w*|imha\\w*)",
        ),
        "S11": (
            "(?:intihar et\\w*|kendimi (?:nasıl )?(?:öldür\\w*|as\\w+|kes\\w+|zehirle\\w*|yarala\\w*)|canıma kıy\\w*|bileklerimi kes\\w*|hayatıma son ver\\w*|acısız (?:öl\\w*|intihar\\w*)|acı çekmeden öl\\w*|kendime zarar ver\\w*)",
        ),
        "S12": (
            "(?:erotik|pornografik|seks|müstehcen) (?:hikaye|öykü|sahne|metin|fantezi|diyalog)\\w*",
            "(?:porno (?:video|site|film)\\w*|bedava porno|porno izle\\w*)",
        ),
        "S13": (
            "(?:seçim|oy|sandık|oyları|seçimleri|seçime|oy pusula)\\w* .. (?:hile\\w*|çal\\w*|hackle\\w*|sahtecilik|manipüle et\\w*|satın al\\w*)|(?:iki|birden fazla) (?:kez|kere|defa) oy kullan\\w*",
        ),
    },
    said={
        "S4": (
            "çıplak (?:çocuk|küçük kız|kız çocuğu|çocukların?)(?:ların)? (?:fotoğraf|resim|video|görüntü)\\w*|(?:çocuk|küçük kız)(?:ların)? çıplak (?:fotoğraf|resim|video|görüntü)\\w*",
        ),
        "S2": (
            "{secretly} .. (?:çal\\w*|soy\\w*|dolandır\\w*|kaçakçılık\\w*|hırsızlık\\w*|uyuşturucu sat\\w*|vergi kaçır\\w*)",
        ),
        "S1": (
            "{secretly} .. {person} .. (?:öldür\\w*|zehirle\\w*|kaçır\\w*)|{person} .. {secretly} .. (?:öldür\\w*|zehirle\\w*|kaçır\\w*)",
        ),
        "S10": (
            "neden (?:bütün |tüm )?{group} (?:bu kadar |hep |çok )?(?:aptal|pis|aşağılık|hırsız|suçlu|tembel|iğrenç)",
            "{group} (?:hep |hepsi )?(?:aşağılık|pislik|parazit|hayvan|asalak|böcek|insan değil)\\w*|(?:pis|lanet|geber\\w*) {group}",
        ),
        "S11": (
            "(?:en )?(?:kolay|hızlı|acısız|ağrısız|kesin) (?:intihar|ölüm|ölme|ölmenin|intihar etme) (?:yolu|yöntemi|yöntemleri|yolları)",
        ),
    },
    unless={
        "": """önle\\w*|engelle\\w*|koru\\w*|ihbar\\w*|şikayet et\\w*|bildir\\w*|belirti\\w*|kurban\\w*|mağdur\\w*|destek hattı|tarihi|tarihçe\\w*|müze\\w*|belgesel\\w*|ödev\\w*|tez|kanun\\w*|yasa|yasalar|suçu|cezası|hapis|mahkum\\w*|çevir\\w*|
            çeviri\\w*|anlamı|ne demek|arkadaşıma yardım|psikolog\\w*|terapist\\w*|kaza|banyo bomba\\w*|tohum bomba\\w*|çikolata\\w*|kalori\\w*|su bomba\\w*|imha ekib\\w*|dünya savaşı|soğuk savaş|hamam böce\\w*|hamamböce\\w*|fare\\w*|sivrisinek\\w*|karınca\\w*|zaman öldür\\w*|sıkıntı\\w*|süreç|process|tiyatro|oyuncak|kendi hesab\\w*|kendi araba\\w*|bomba gibi""",
        "fiction": "film\\w*|roman\\w*|dizi\\w*|karakter\\w*|oyun\\w*|oyunda|minecraft|gta|şarkı\\w*",
    },
)
