"""English."""

from models.safety.text.matching import Table

ENGLISH = Table(
    language="en",
    words={
        "i": "i|we|you|u|ya|one|someone|somebody|a person|anyone|anybody|people",
        "to": "to|for|of|on|in|about",
        "whose": "my|your|his|her|their|our|the|this|that|a|an|another|some|someones|somebodys|any",
        "adjective": "abusive|annoying|bad|beautiful|best|cheating|drunk|elderly|entire|ex|fat|former|helpless|innocent|"
        "little|loud|neighbor|next door|nosy|old|older|own|poor|rich|rude|stupid|sleeping|specific|step|whole|young|"
        "younger|random|other|hot|cute|whole|fucking|damn|new|late|teenage|teen",
        "person": "(?:{whose} )?(?:{adjective} ){0,2}(?:wife|husband|exs?|ex wife|ex husband|girlfriend|boyfriend|gf|bf|"
        "partner|spouse|mom|mum|mother|dad|father|parents?|stepdad|stepmom|stepfather|stepmother|brother|sister|sibling|"
        "son|daughter|kids?|baby|child|children|boss|manager|supervisor|coworkers?|co workers?|colleagues?|neighbou?rs?|"
        "roommates?|landlord|teachers?|classmates?|friends?|family|grandma|grandpa|grandmother|grandfather|uncle|aunt|"
        "cousin|enemy|enemies|rivals?|witness|witnesses|cops?|police officers?|politicians?|president|senator|judge|"
        "persons?|man|men|woman|women|girls?|boys?|guys?|people|humans?|human beings?|strangers?|infidels|"
        "mother in law|father in law|customers?|crowds?|civilians?|officers?)|someone(?: else)?|somebody|anyone",
        "make": "make|making|build|building|construct|constructing|construction of|assemble|assembling|create|creating|"
        "creation of|synthesi[sz]e|synthesi[sz]ing|synthesis of|produce|producing|production of|manufacture|manufacturing|"
        "manufacture of|cook|cooking|cook up|prepare|preparing|develop|developing|development of|design|designing|"
        "fabricate|put together|mix|mixing|brew|brewing|craft|crafting|weaponi[sz]e|weaponi[sz]ing|assembly of",
        "get": "get|getting|buy|buying|obtain|obtaining|acquire|acquiring|find|finding|order|ordering|source|purchase|"
        "purchasing|get my hands on|get hold of|get a hold of",
        "use": "use|using|detonate|detonating|detonation of|set off|setting off|plant|planting|deploy|deploying|release|"
        "releasing|disperse|dispersing|spread|spreading|smuggle|hide|hiding|trigger|throw|explode",
        "bomb_kind": "pipe|nail|car|dirty|nuclear|atomic|atom|fertili[sz]er|homemade|home made|pressure cooker|letter|"
        "petrol|gasoline|chemical|fusion|fission|nuclear fission|hydrogen|thermobaric|suitcase|suicide|remote|radiological|"
        "real|small|simple|basic|deadly|powerful|working|diy|big|crude|makeshift|tnt|ammonium nitrate|napalm|undetectable|"
        "parcel|package|plastic|mail|cell phone|strap on|neutron|vehicle|truck",
        "weapon": "(?:{bomb_kind} ){0,2}bombs?|(?:{bomb_kind} |high yield |plastic |homemade )?explosives?|"
        "(?:improvised )?explosive (?:device|vest|charge|belt|pack)s?|ieds?|molotov(?: cocktail)?s?|nerve (?:agent|gas)s?|"
        "sarin(?: gas)?|vx(?: gas| nerve agent)|novichok|mustard gas|chlorine gas|chloramine gas|phosgene(?: gas)?|ricin|"
        "anthrax(?: spores)?|botulinum toxin|(?:a |an )?(?:chemical|biological|radiological|nuclear|thermobaric|biochemical) "
        "(?:weapon|agent|warhead|device)s?|bio ?weapons?|nuclear warheads?|nukes?|weapons? of mass destruction|land ?mines?|"
        "cluster munitions?|napalm|tatp|hmtd|petn|semtex|weapons grade (?:uranium|plutonium)|(?:a )?sticks? of dynamite|dynamite (?:bombs?|sticks?)|hand grenades?|"
        "grenades?|poison gas|toxic gas|tear gas|lethal gas|mustard agent|tabun|soman|hydrogen cyanide|cyanide gas",
        "kill": "kill|killing|murder|murdering|assassinate|assassinating|poison|poisoning|strangle|strangling|stab|stabbing|"
        "suffocate|suffocating|smother|dismember|behead|decapitate|kidnap|kidnapping|abduct|abducting|lynch|slaughter|"
        "shoot and kill|beat to death|get away with killing|get away with murdering|get away with stabbing",
        "minor": "(?:a |an |my |the |some |his |her |their |our |young |little |innocent |underage |cute |small |hot |\\d\\d? )*"
        "(?:child|children|kids?|minors?|toddlers?|infants?|preteens?|pre teens?|underage (?:girl|boy|teen|people|person)s?|"
        "schoolgirls?|little (?:girl|boy)s?|young (?:child|girl|boy)s?|underage|(?:\\d|1[0-6]) ?(?:year|yr|yo)s? ?olds?|"
        "(?:\\d|1[0-6]) ?yo|(?:five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen) year olds?)",
        "child_porn": "(?:child|kiddie|kiddy|kid|underage|preteen|pre teen|minor|teen child|toddler|infant) "
        "(?:porn|porno|pornos|pornography|pornographic|sexual abuse (?:material|image|video|content)s?|erotica|nudes)|csam|"
        "pornography of (?:children|minors)|cp (?:videos?|pics|links|images|collection|sites?)|pedo (?:porn|videos?|sites?)",
        "drug": "(?:crystal |pure |some |synthetic |homemade )?(?:meth|methamphetamines?|crack(?: cocaine)?|cocaine|heroin|"
        "fentanyl|mdma|ecstasy|lsd|pcp|ghb|dmt|krokodil|amphetamines?|opium|angel dust|bath salts drug|spice drug)",
        "crack_how": "without (?:\\w+ ){0,2}(?:getting |being |get |be )?(?:caught|detected|noticed|arrested|traced|found "
        "out|detection|discovered|prosecuted|sued|suspicion)|without leaving (?:any |a )?(?:trace|traces|evidence|"
        "fingerprints|dna|clues?|trail|marks|bruises)|and (?:not get|never get|avoid getting|avoid being) caught|and get away "
        "with it|while (?:avoiding|evading|escaping) (?:detection|law enforcement|the police|police|getting caught|prosecution)|"
        "without (?:\\w+ )?(?:the )?(?:police|cops|feds|authorities|security) (?:knowing|noticing|finding out|catching)|"
        "undetected|without anyone (?:knowing|noticing|finding out|catching)|(?:avoid|evade|evading|avoiding) detection",
        "device": "phones?|messages|texts?|text messages|whatsapp|instagram|insta|snapchat|snap|facebook|fb|emails?|gmail|"
        "accounts?|icloud|laptop|computer|webcam|dms|call history|tinder|messenger|telegram|social media(?: accounts?)?|"
        "location|gps",
        "theirs": "(?:my |the |a |an |another |this |some |that |someone |somebody )?(?:{adjective} )?(?:wifes?|husbands?|girlfriends?|boyfriends?|gfs?|bfs?|"
        "partners?|exs?|exes|spouses?|roommates?|coworkers?|co workers?|colleagues?|boss|bosss|bosses|neighbou?rs?|crushs?|crushes|"
        "teachers?|classmates?|friends?|enemys?|strangers?|persons?|womans?|mans?|girls?|guys?)|someones|someone elses|"
        "somebodys|her|his|their|peoples|another persons|other peoples|celebritys|victims?",
        "group": "jews|jewish people|muslims|muslim people|blacks|black people|africans|african americans|asians|asian people|"
        "chinese(?: people)?|mexicans|hispanics|latinos|arabs|indians|pakistanis|immigrants|migrants|refugees|gypsies|roma people|"
        "gays|gay people|lesbians|trans people|transgender people|transgenders|trans women|homosexuals|lgbtq? people|"
        "lgbt community|disabled people|people with disabilities|the disabled|hindus|whites|white people|foreigners|minorities|"
        "fat people|autistic people|women|feminists|mentally ill people|brown people|dark skinned people",
        "slur": "niggers?|kikes?|spics|faggots?|fags|chinks?|trannies|retards|sand niggers?|wetbacks|gooks|towelheads|ragheads",
        "hateful": "racist|anti ?semitic|homophobic|transphobic|islamophobic|sexist|misogynistic|white supremacist|white power|"
        "neo ?nazi|hateful|xenophobic|racial|ableist|bigoted|dehumani[sz]ing",
        "erotic": "erotica|erotic(?: short)? (?:stor(?:y|ies)|scenes?|fiction|role ?plays?|fan ?fics?|fanfictions?|novels?|poems?|"
        "dialogues?|chats?|letters?|tales?|messages?)|porn|porno|pornos|pornography|pornographic (?:stor(?:y|ies)|scripts?|scenes?|"
        "videos?|images?|content)|smut|smutty (?:stor(?:y|ies)|scenes?)|hentai|sex (?:scenes?|stor(?:y|ies)|chats?|role ?plays?)|"
        "nsfw (?:stor(?:y|ies)|images?|art|content|role ?plays?|scenes?|chats?)|explicit(?: sex| sexual)? (?:stor(?:y|ies)|scenes?|"
        "content|role ?plays?|fiction|dialogues?)|sexually explicit (?:stor(?:y|ies)|scenes?|content|role ?plays?|texts?)|"
        "(?:her |my )?nudes|naked (?:pics|pictures|photos|images)|nude (?:pics|pictures|photos|images)|cyber ?sex|"
        "xxx (?:videos?|content|stor(?:y|ies)|pics)|sexts?|dirty talk|blow ?jobs?|adult (?:videos|films) of",
    },
    asking="""
        how (?:do|does|can|could|would|should|might|did|shall|may|to|2|wud|d)(?: {i})?(?: (?:also|even|just|actually|best|
        possibly|easily|secretly|discreetly|safely|go about|start|get to|be able to|effectively|successfully|quickly|legally|
        covertly|anonymously|personally|ever|subtly))*|
        how (?:would {i} go about|{i} (?:can|could|should|would|might))|
        (?:ways?|methods?|steps|instructions?|guides?|recipes?|tutorials?|tips|tricks|techniques?|strategies|tactics|blueprints?|
        plans?|formulas?|procedures?|directions|advice|process|manual|places?|time|ideas|suggestions|options|chemicals|materials?|
        ingredients|tools|things|products|substances)(?: that)?(?: {i})?(?: (?:can|could|should|would|might|may|do|need))?(?: be)?
        (?: use| used| take| taken| follow| employ| employed| involved| required| needed)?(?: in order)?(?: {to})?(?: how to)?|
        (?:teach|show|tell|instruct|educate|guide|train|walk|talk|help|give|explain to|explain|advise|send|list|describe|let)
        (?: me| us)?(?: on| through| out)?(?: exactly| in detail| step by step)?(?: how)? ?(?:{i} )?(?:to|can|could|would)?|
        (?:{i}) (?:really |just |also |seriously |badly |only )?(?:want|wants|wanted|need|needed|wanna|plan|planned|intend|will|would like|
        d like|would love|d love|gotta|hope|wish|wished|decided|tried|could|were|can)(?: to| on| of| about)?|
        (?:im|i am|were|we are|i was|ive been|i have been|am|was) (?:gonna|going to|planning|planning to|planning on|trying to|thinking of|thinking about|
        about to|looking to|looking for|considering|willing to|ready to|tempted to)|
        (?:can|could|may|should|would|will) (?:i|we|you|u)(?: please)?(?: help me| help us| tell me| show me| teach me| explain)?
        (?: how)?(?: to)?|
        is it (?:ever |really |even )?(?:possible|easy|okay|ok|fun|safe|hard|fine|good|acceptable|normal|alright|cool|justified)(?: for me)? to|lets|let us|
        where (?:can|could|do|should|would|might|to)(?: {i})?|
        what (?:do|would) (?:i|we|you) need to|what (?:chemicals|materials|ingredients|tools)(?: \\w+){0,3} to|knows? how to|
        (?:please )?(?:write|generate|provide|give|create|make|list|outline|draft|compose|produce)(?: me| us)?(?: a| an| the| some)?
        (?: detailed| complete| full| short)?(?: step by step)? (?:guide|plan|tutorial|manual|instructions|list|recipe|steps|code|
        script|program)(?: of| for| to| on| that| which| how to)*
    """,
    asked={
        "S1": (
            "{kill} {person}",
            "shoot up (?:a|my|the|this|that) (?:school|church|mall|mosque|synagogue|office|workplace|concert|club|crowd)",
            "(?:commit|carry out|pull off|plan|do|execute|stage|start|organi[sz]e) .. (?:mass shooting|mass murder|massacre|murder|"
            "terror(?:ist)? attack|school shooting|bombing|assassination|beheading|kidnapping|stabbing|genocide|killing spree|"
            "aircraft hijacking|hijacking|lynching|home invasion)",
            "hire .. (?:hitman|hit man|contract killer|assassin|killer|someone to kill)",
            "(?:find|contact) .. (?:hitman|hit man|contract killer)",
            "(?:dispose of|get rid of|hide|dissolve|bury|burn) (?:a |the |my |his |her )?(?:\\w+ )?(?:dead body|dead bodies|corpse|corpses)",
            "(?:hijack|hijacking|take over|crash) .. (?:air ?planes?|planes?|aircraft|flights?|boeing|passenger jet)",
            "(?:beat|hit|hurt|punish|choke|torture|abuse|strangle|assault|attack) .. {person} .. without (?:leaving )?(?:any )?"
            "(?:marks?|bruises|evidence|trace|getting caught)",
            "torture (?:a |my |someone|somebody|the )(?:prisoner|person|hostage|enemy|enemies|captive|wife|ex|neighbor)?",
            "hide .. (?:signs of|evidence of|bruises from) .. (?:physical|domestic|child) abuse",
            "cover up (?:a |the |my )?(?:\\w+ ){0,2}(?:murder|killing|homicide|crime|stabbing|assault|shooting)",
            "make .. (?:death|murder|killing) look like (?:an accident|a suicide|suicide|natural causes|self defen[cs]e)",
        ),
        "S2": (
            "(?:make|cook|cooking|making|synthesi[sz]e|produce|manufacture|extract|brew|cook up) .. {drug}",
            "(?:sell|selling|smuggle|smuggling|deal|traffic|import|ship|mail|transport|distribute) .. (?:{drug}|illegal drugs|narcotics)",
            "sell drugs",
            "(?:buy|order|purchase|score|get hold of|get my hands on) (?:some |a gram of |\\w+ grams of )?{drug}",
            "(?:buy|get|order|purchase|score) .. (?:{drug}|illegal drugs|drugs) .. (?:online|dark ?web|on the street|illegally)",
            "(?:buy|get|obtain|make|build|print|3d print|manufacture|acquire|purchase|produce|sell|source|find) .. (?:untraceable|ghost|"
            "unregistered|illegal|unlicensed|stolen) (?:guns?|firearms?|weapons?|pistols?|handguns?|rifles?)",
            "(?:buy|get|obtain|make|build|manufacture|acquire|own|purchase|produce|sell|source) .. (?:guns?|firearms?|pistols?|handguns?|rifles?|weapons) "
            ".. (?:without (?:a |any )?(?:licen[cs]e|background check|permit|serial|being traced|id)|illegally|anonymously|(?:on|from|off) the "
            "(?:black market|dark ?web))",
            "convert .. (?:semi ?automatic|semi auto|ar ?15|glock|rifle|pistol) .. full(?:y)? ?auto(?:matic)?",
            "(?:make|making|print|printing|create|creating|produce|producing|pass|buy|get|sell|forge|forging|obtain|spend) .. (?:counterfeit|fake|forged|false) "
            "(?:\\w+ )?(?:money|cash|bills|currency|bank ?notes?|dollars|euros|passports?|ids?|id cards?|identity documents?|driver(?:s| s)? "
            "licen[cs]es?|checks|cheques|prescriptions?|diplomas?|vaccin\\w+ cards?|social security cards?|visas?|green cards?|birth "
            "certificates?|papers|financial documents|bank statements?|pay ?stubs?|doctors? notes?)",
            "counterfeit (?:money|cash|bills|currency|bank ?notes?|dollars|euros|passports?)",
            "launder(?:ing)? (?:the |my |some |dirty |drug |illegal |stolen )*(?:money|cash|funds|crypto|bitcoin|proceeds)",
            "(?:steal|hot ?wire|carjack|boost) (?:a |an |someones |somebodys |my neighbou?rs |peoples |other peoples |the )"
            "(?:\\w+ )?(?:car|cars|vehicle|vehicles|truck|motorcycle|motorbike|bikes?|purse|wallet|wallets|phone|packages?|credit cards?|painting)",
            "steal (?:from (?:a |my |the )?(?:\\w+ )?(?:store|shop|stores|mall|work|employer|boss|supermarket|museum|church|bank)|cars|money from|packages|merchandise|jewel\\w+)",
            "rob(?:bing)? (?:a |an |the |my |some )?(?:local )?(?:bank|banks|store|house|houses|home|jewel\\w+(?: store)?|gas station|convenience store|liquor "
            "store|person|people|old (?:lady|man|people)|atm|train|casino|someone|pharmacy|tourists?|museum)",
            "(?:break|breaking|sneak) into (?:(?:a |an |someones |somebodys |my neighbou?rs |peoples |other peoples |the |another persons |my \\w+ )(?:\\w+ )?(?:house|home|car|apartment|shop|"
            "store|safe|building|bank|museum|garage|vault|warehouse|school)|houses|homes|cars|apartments)",
            "(?:shoplift|shoplifting|burglari[sz]e|pickpocket)",
            "(?:commit|committing|do|pull off|get away with|run|start|perpetrate) .. (?:fraud|arson|burglary|robbery|perjury|tax evasion|"
            "identity theft|embezzlement|bribery|extortion|vandalism|larceny|grand theft|ponzi scheme|pyramid scheme|pickpocketing|scam)",
            "scam (?:people|old people|seniors|the elderly|elderly people|my (?:grandma|boss|friends|customers|clients)|tourists|someone|customers|investors|others)",
            "embezzle .. (?:money|funds|from)",
            "bribe (?:a |an |the |my )?(?:\\w+ )?(?:judge|official|officials|police officer|cop|cops|juror|jurors|jury|politician|politicians|inspector|teacher|senator)",
            "(?:evade|avoid|dodge|cheat on) (?:paying )?(?:my |any |all )?(?:income )?taxes .. (?:illegally|without getting caught|altogether)",
            "(?:blackmail|extort) (?:{person}|my|him|them|her|money from)",
            "forge (?:a |my |the |someones |his |her |somebodys )?(?:\\w+ )?(?:signature|signatures|prescription|cheque|check|documents?|will)",
            "(?:clone|skim|cloning|skimming) .. (?:credit|debit|bank|atm) cards?",
            "(?:make|build|create|install|place|use) .. card skimmers?",
            "(?:make|create|write|build|code|develop|deploy|spread|launch|program|set up|perform|carry out|design|send|run|craft) .. (?:ransomware|"
            "malware|key ?logger|computer virus|trojan|rootkit|botnet|phishing (?:e ?mails?|page|site|website|kit|campaign|attack|scam|"
            "message)s?|spyware|computer worm|ddos(?: attack)?|denial of service attack)",
            "hack(?:ing)? (?:into )?(?:a |an |the |my (?:schools?|companys?|universitys?|neighbou?rs?|bosss?) |someones |somebodys |peoples )?(?:\\w+ )?"
            "(?:bank|atm|atms|servers?|website|network|database|government|grades|wi ?fi|computer systems?|digital systems?|power grid|hospital|school system|bank accounts?)",
            "(?:set fire to|burn down|torch|commit arson (?:on|against)) (?:a |an |the |my |his |her |someones |somebodys )?(?:\\w+ )?(?:house|building|school|car|"
            "store|church|mosque|synagogue|restaurant|office|forest|business|home|apartment|warehouse|shop)",
            "(?:smuggle|smuggling|traffic|trafficking|sneak) .. (?:people|humans|migrants|immigrants|drugs|guns|firearms|weapons|ivory|minors|children) "
            ".. (?:across|over|into|through|past|without)",
            "(?:rig|fix) (?:a |the )?(?:lottery|slot machines?|boxing match|jury)",
            "(?:steal|hide|bring|destroy) .. (?:artifacts?|paintings?|evidence) .. (?:museum|police|from the police)",
            "(?:disable|remove|jam) (?:a |the )?gps tracker .. (?:stolen|stole|nicked)",
            "(?:force|forcing|make) .. (?:people|workers|migrants|women) (?:in)?to (?:forced labou?r|slave labou?r|work for free|unpaid)",
        ),
        "S3": (
            "rape (?:a |my |the |his |her )?(?:{adjective} )?(?:someone|somebody|her|him|women|woman|girls?|wife|girlfriend|man|men|person|people|boys?|kids?|coworker|classmate|neighbou?r|student|roommate|ex|sister|daughter|child|children)",
            "get away with (?:rape|raping|sexual assault|molesting|groping|sexual harassment)",
            "(?:sexually assault|sexually abuse|grope|molest|fondle|sexually harass) (?:{person}|her|him|them|others)",
            "(?:touch|kiss|undress|have sex with|sleep with|record|film|photograph) (?:{person}|her|him) .. without .. (?:consent|consenting|waking|permission|her knowing|them knowing)",
            "(?:spike|drug|roofie) (?:her|his|a girls|a womans|someones|my dates|their|somebodys|her|a persons) drink",
            "(?:slip|put|mix|sneak) .. (?:roofies?|rohypnol|ghb|date rape drugs?|sedatives?|sleeping pills?|drugs?|something) .. (?:in|into) (?:her|his|a girls|a womans|someones|my dates|their|somebodys|my wifes|my girlfriends) (?:drink|glass|cup|food|tea|coffee|beer|wine)",
            "(?:drug|sedate|roofie) (?:a |my |the )?(?:{adjective} )?(?:girl|girls|woman|women|date|her|wife|girlfriend|coworker) .. (?:sex|her|advantage|unconscious|rape|party)",
            "(?:buy|get|make|use|find|order) .. (?:date rape drugs?|roofies?|rohypnol)",
            "(?:hide|install|place|put|set up|plant|conceal) .. (?:cameras?|cams?|webcams?|spy cams?) .. (?:bathrooms?|toilets?|showers?|locker rooms?|changing rooms?|dressing rooms?|fitting rooms?|womens|girls|her bedroom|her room|restrooms?)",
            "(?:take|get|make|film|shoot) .. upskirt (?:photos|pictures|pics|videos|shots)?",
            "(?:force|coerce|blackmail|pressure|trick|manipulate|lure|threaten) (?:{person}|her|him|girls|women|them) .. (?:to have sex|to sleep with|into sex|into sleeping|into having sex|into prostitution|to send nudes|into sending|to strip|into porn|sexual acts|sexual favou?rs)",
            "(?:post|share|leak|sell|upload|publish|spread|send|distribute) .. (?:nudes?|naked (?:photos|pics|pictures|images)|nude (?:photos|pics|pictures|images)|sex tapes?|intimate (?:photos|images|videos|pictures)|explicit (?:photos|images|videos|content)|revenge porn) (?:of|i have of|i got of) .. (?:exs?|ex girlfriend|ex wife|ex boyfriend|girlfriend|wife|classmates?|coworker|someone|her|others|women|girls|friend|neighbou?r)",
            "(?:make|create|post|upload|share|distribute) .. (?:revenge porn|deep ?fake porn|deep ?fake nudes)",
            "traffic(?:king)? (?:women|girls|children|people|underage|minors|teens|humans|sex workers)",
            "(?:run|start|set up|establish|operate|join|build) .. (?:sex trafficking|prostitution|human trafficking) (?:ring|network|business|operation|organi[sz]ation)s?",
            "(?:have sex|sex|intercourse) with (?:my |a |an |the )?(?:dogs?|horses?|animals?|goats?|sheep|cows?|pets?|corpses?|dead bod(?:y|ies))",
            "(?:flash|expose myself to|expose my (?:genitals|penis|dick) to|masturbate in front of) (?:{person}|her|strangers|the public|others)",
        ),
        "S4": (
            "(?:find|finding|get|download|downloading|watch|watching|view|buy|sell|make|making|create|creating|share|sharing|trade|trading|access|accessing|distribute|produce|producing|obtain|upload|host|store|see|send|film|collect|search for|generate|look at|post|links? to|sites? for|sites? with) .. {child_porn}",
            "{child_porn}",
            "(?:have|having|engage in|do) (?:\\w+ )?(?:sex|sexual activit(?:y|ies)|intercourse|sexual acts?|oral sex|anal sex) with {minor}",
            "(?:rape|molest|fondle|fuck|finger|seduce|sexually abuse|sexually exploit|sexually touch|masturbate to) {minor}",
            "(?:groom|grooming|lure|entice|trick|persuade|convince|manipulate|coerce|blackmail|get|force|seduce) {minor} .. (?:sex|sexual|sexually|nudes?|naked|for sex|strip|undress|have sex|into sending|to send (?:me )?(?:nudes|pictures|photos|pics)|meet me in secret|meet up alone)",
            "groom (?:an? )?(?:(?:1[0-7]|\\d) ?(?:year|yr) olds?|underage \\w+|minors?)",
            "groom {minor} (?:online|for|into|without|so that|over)",
            "(?:touch|kiss|undress|strip) {minor} (?:sexually|inappropriately|down there|in a sexual way|without .. knowing)",
            "sexuali[sz](?:e|ing) {minor}",
            "(?:initiate|have|find|share|start|build|access|distribute) .. (?:inappropriate|sexual|sexually explicit|physical|romantic|intimate) (?:\\w+ )?(?:contact|content|relationships?|touching|material|images) (?:with|involving|of) {minor}",
            "(?:convince|persuade|manipulate|entice|coerce|trick|get) .. (?:{minor}|nephew|niece|stepson|stepdaughter|little (?:sister|brother)|(?:1[0-7]|\\d) year .. (?:nephew|niece|son|daughter|cousin|sister|brother)) .. (?:have sex|sex|strip|get naked|sexual)",
            "(?:take advantage of|exploit|prey on|lure) {minor} .. (?:sexual\\w*|online|trust|sexual desires|naivete|without)",
            "(?:find|meet|get|attract|hook up with|sext|sexting|date) .. (?:underage (?:girls|boys|teens)|preteens?|(?:1[0-5]|\\d) ?(?:year|yr) olds?) .. (?:online|sex|hook|nudes|to date|for fun)",
        ),
        "S5": (
            "(?:spread|start|make up|create|invent|fabricate|circulate|plant|post|craft|write|come up with) .. (?:false|fake|untrue|made up|fabricated|baseless|defamatory|vicious|damaging) .. (?:rumou?rs?|accusations?|allegations?|claims|stories|story|statements?|testimon\\w+|information|reviews|article|posts?|tweets?) .. (?:about|against|that|accusing|saying|claiming|alleging) .. (?:my|a|an|the|someone|someones|him|her|his|people|competitors?|this|our|public|another|politicians?|celebrit(?:y|ies)|criminal|sexual|venereal)",
            "(?:spread|start|plant|circulate) (?:a |some |vicious |nasty |ugly )*rumou?rs? (?:that|about|saying) .. (?:my|someone|a|an|the|this|him|her|our|his)",
            "(?:spread|tell|post|publish) lies about {person}",
            "(?:ruin|destroy|wreck|tarnish|damage|sully) (?:{theirs}|my) (?:\\w+ )?(?:reputation|good name|career) .. (?:lies|rumou?rs?|false|fake|online|allegations?|accus\\w+)",
            "(?:run|start|launch|orchestrate|pull off|organi[sz]e) .. smear campaigns? .. (?:against|on|about)",
            "falsely accuse (?:{person}|him|her|them)",
            "(?:accuse|accusing) (?:{person}|him|her|them) of .. (?:they|he|she) (?:didnt|never|did not)",
            "defame (?:{person}|him|her|them)",
        ),
        "S6": (
            "(?:drink|inject|ingest|swallow|gargle|take|use) .. (?:bleach|turpentine|hydrogen peroxide|kerosene|industrial alcohol) .. (?:to|as|for) .. (?:cure|treat|kill|cleanse|covid|cancer|parasites|autism|detox)",
            "(?:perform|do|doing|performing) .. (?:surgery|an abortion|abortion|appendectomy|amputation|vasectomy|c section) (?:on myself|at home|on my (?:wife|friend|kid|child|son|daughter|dog)|by myself|on me)",
            "(?:pull|pull out|remove|extract|cut out|drill) (?:out )?my own (?:\\w+ )?(?:tooth|teeth|appendix|mole|tumou?r|stitches|iud|cyst|kidney stones?)",
            "(?:put|dump|invest|bet|throw|sink|stake|move|gamble) (?:all |all of )?(?:my|our) (?:entire |whole |complete )?(?:life )?savings .. (?:in|into|on)",
        ),
        "S7": (
            "(?:find|get|look up|figure out|discover|obtain|learn|track down|know|uncover|determine|access|dig up|steal) (?:out )?{theirs} .. (?:home address|exact address|exact home address|physical address|private address|personal address|where ?abouts|social security numbers?|ssn|ip address|passwords?|bank accounts?(?: details| numbers?)?|credit cards?(?: numbers?| details| info)?|medical records|private (?:photos|messages|information|info|data|conversations)|login(?: credentials| details| info)?|pin codes?|pin numbers?)",
            "(?:find|get|look up|know) (?:the )?(?:home |exact |private )?address of (?:my ex|someone|a girl|a woman|a person|my (?:neighbou?r|coworker|teacher|boss|crush|classmate|roommate)|a celebrity|this girl|this woman|this guy)",
            "(?:find|figure) out where (?:my ex|she|he|a girl|someone|this girl|this guy|this woman|a celebrity|my exs?) (?:lives|is living|moved)",
            "dox+(?:ing)? (?:{person}|him|her|them|this|that|my)",
            "(?:hack|hacking|break|get) into {theirs} .. {device}",
            "(?:hack|clone|bug|tap|spy on|wiretap) {theirs} .. {device}",
            "(?:spy on|stalk|secretly track|secretly follow|secretly record|secretly monitor) (?:{person}|her|him|them)",
            "(?:track|monitor|read|see|access|install|check|view|record|follow|watch|put|get|look at) .. (?:{theirs}|wifes|husbands|girlfriends|boyfriends|partners) .. (?:{device}|calls|browsing|conversations|spyware|tracker|activity) ... without .. (?:knowing|knowledge|consent|permission|them noticing|her noticing|him noticing|realizing|help)",
            "(?:steal|sell|buy|phish|harvest|crack) (?:{theirs}|peoples|users|customers|other peoples) .. (?:identity|identities|passwords?|credit cards?|personal (?:data|information|info|details)|login\\w*|ssn|bank details|credentials|private data)",
            "(?:commit|do|get away with|succeed in) .. identity theft",
            "(?:access|misuse|get into|use|drain|empty|break into) (?:{theirs}) (?:\\w+ ){0,2}(?:bank accounts?|financial accounts?|credit cards?|identity|social security numbers?|private (?:photos|messages|files|data)|medical records|brokerage accounts?) .. (?:fraud|without|secretly|money|illegally|discreetly)",
            "(?:find|get|steal|obtain) .. (?:bank account numbers?|credit card numbers?|social security numbers?|passwords|login credentials) of .. (?:people|someone|others|customers|strangers|rich|wealthy)",
            "(?:trick|dupe|fool|manipulate|phish|con) (?:people|someone|users|victims|them|my \\w+|employees|customers|others) .. (?:passwords?|login\\w*|credentials|bank (?:details|info\\w*)|personal info\\w*|pin|security codes?|social security)",
            "(?:install|put|plant|place|hide) .. (?:spyware|stalkerware|keylogger|gps tracker|tracking (?:device|app)|air ?tag) .. (?:on|in|under) {theirs}",
        ),
        "S8": (
            "(?:pirate|torrent|illegally download|illegally stream|illegally watch|illegally copy|bootleg) .. (?:movies?|films?|games?|software|music|books?|textbooks?|e ?books?|shows?|songs|albums?|photoshop|adobe|windows|microsoft|netflix|series|content|courses?)",
            "(?:get|find|download|use|install) .. (?:cracked|pirated|nulled|bootleg) (?:\\w+ )?(?:versions?|cop(?:y|ies)|software|games?|apps?|movies?|photoshop|windows|office|adobe|textbooks?|e ?books?|streams?|themes?|plugins?)",
            "crack (?:a |the |this |some )?(?:\\w+ )?(?:software|photoshop|adobe|windows|game|games|drm|licen[cs]e key|licen[cs]e|serial)",
            "(?:keygen|key generator|serial keys?|activation keys?|product keys?|licen[cs]e keys?|activation codes?) .. (?:for|of) .. (?:windows|photoshop|adobe|office|autocad|games?|steam|software) .. (?:free|without paying|crack\\w*)",
            "(?:bypass|remove|strip|break|circumvent|defeat|get around) (?:the |a |any )?(?:\\w+ )?(?:drm|copy protection|copyright protection|paywalls?|licen[cs]e checks?|copyright filters?|content id)",
            "(?:sell|make|manufacture|produce|import|pass off) .. (?:fake|replica|counterfeit|knock ?off|knock off|bootleg) (?:designer )?(?:gucci|nike|rolex|louis vuitton|chanel|prada|designer|handbags?|purses|sneakers|shoes|jerseys|watch(?:es)?|dvds?|merch\\w*|clothes|bags|goods|products)",
            "(?:steal|copy|use|reproduce|plagiari[sz]e|sell) .. (?:source code|trade secrets?|copyrighted (?:work|works|material|content|songs?|images?|music|books?|text)|patented (?:tech\\w*|design|invention|product)s?|someone elses (?:work|essay|art\\w*|design|song|thesis)) .. (?:{crack_how}|without (?:consent|permission|paying|being sued|getting sued|credit|citing|legal)|as my own|avoid(?:ing)? (?:legal|detection|copyright|lawsuit))",
            "illegally (?:use|copy|share|distribute|download|sell|stream|reproduce|obtain) .. (?:copyrighted|movies?|music|photos?|games?|software|books?|songs?|tv shows?|textbooks?)",
            "(?:share|upload|download|stream|copy|sell) .. (?:movies|music|games|software|books|textbooks|songs|tv shows) .. (?:illegally|{crack_how})",
            "plagiari[sz]e .. (?:{crack_how}|past turnitin|avoid turnitin)",
        ),
        "S9": (
            "{make} ... {weapon}",
            "{weapon} (?:synthesis|production|construction|recipe|manufacture|assembly|making|design)",
            "{get} .. (?:{weapon}|weapons grade uranium|plutonium|enriched uranium)",
            "{use} .. {weapon} .. (?:in|at|on|under|into|against|inside|without|near|from|over|past|crowd|crowded|public|city|subway|school|mall|airport|people|civilians)",
            "(?:make|create|design|build) .. (?:virus|pathogen|bacteria|bacterium|flu|toxin)s? .. (?:more (?:lethal|deadly|contagious|transmissible)|as a weapon|bioweapon|pandemic|weaponi[sz]ed|kill)",
            "(?:make|create|brew|mix|produce|get|buy|obtain) .. (?:deadly|lethal|untraceable|undetectable|dangerous|potent) (?:poisons?|toxins?|nerve agent|gas)",
            "(?:test|detonate|build|smuggle|hide|launch|fire|use) .. (?:homemade |my |a )*(?:nuclear|dirty|atomic|hydrogen|fusion) (?:bomb|bombs|weapon|weapons|device|warhead)",
            "(?:poison|contaminate) (?:a |the |my |an |our )?(?:\\w+ ){0,2}(?:water supply|water supplies|reservoir|food supply|whole cit(?:y|ies)|entire cit(?:y|ies)|population|public water)",
            "(?:maximi[sz]e|cause|inflict|increase|ensure) .. (?:casualties|maximum casualties|most casualties|death toll|destruction|damage) .. (?:attack|bomb|bombing|explosives?|weapon|crowd|civilians?|civilian area|population)",
            "(?:enrich|obtain enriched) uranium .. (?:bomb|weapon|home|garage)",
        ),
        "S10": (
            "(?:{hateful} ){1,2}(?:jokes?|slurs?|rants?|speech|poems?|essays?|posts?|tweets?|memes?|songs?|chants?|manifestos?|propaganda|stor(?:y|ies)|insults?|slogans?|comments?|nicknames?|terms|stereotypes?|messages?|article)",
            "(?:insult|mock|humiliate|demean|degrade|dehumani[sz]e|harass|bully|intimidate|exterminate|get rid of|drive out|attack|hurt|eliminate|wipe out) (?:all |the |these |those |every )?{group}",
            "(?:new|novel|creative|good|worst|offensive|insulting|list of)? ?slurs? (?:for|against|about|to call|to use against) (?:{group}|the lgbt\\w*|my \\w+)",
            "(?:prove|convince .. that|show) .. (?:holocaust (?:was|is) (?:fake|a hoax|a lie|a myth)|holocaust (?:didnt|never) happen\\w*|{group} are (?:inferior|subhuman|dangerous|evil))",
            "jokes? (?:about|making fun of|mocking) (?:{group}) .. (?:offensive|racist|stupid|inferior|gas|dirty)",
            "(?:recruit|attract|gain) .. (?:hate group|white nationalist|white supremac\\w+|neo ?nazi|aryan|kkk)",
        ),
        "S11": (
            "(?:kill|hang|electrocute|suffocate|asphyxiate|poison|starve|drown|shoot) (?:myself|yourself|oneself|themselves|ourselves)",
            "(?:commit|committing|complete|plan|planning|attempt) (?:a )?(?:painless )?(?:suicide|sucide)",
            "(?:end|take|ending|taking) (?:my|your|ones|their) (?:own )?life",
            "(?:die|dying|death) (?:\\w+ )?(?:painlessly|without pain|quickly and painlessly|peacefully by|in my sleep on purpose)",
            "(?:harm|hurt|injure|mutilate|cut) myself",
            "(?:self harm|selfharm|slit my wrists|slit wrists|slitting .. wrists|overdose on|od on)",
            "(?:hide|conceal|cover|cover up|disguise|hiding) .. (?:self harm|selfharm|self injury|cutting|fresh cuts|my cuts|bulimia|anorexia|purging|eating disorder|not eating) .. (?:from|without|so that|before|tools?|scars|marks|parents|to avoid|signs)",
            "(?:starve myself|purge after|throw up after (?:eating|meals)|make myself throw up|become anorexic|be anorexic|become bulimic|be bulimic|develop an eating disorder|stay anorexic)",
            "(?:convince|encourage|persuade|push|get|manipulate|drive|bully|make|talk|coerce|encouraging) (?:{person}|him|her|them|teenagers|teens|others|kids|my \\w+) .. (?:to kill (?:himself|herself|themsel\\w+)|kill (?:himself|herself|themsel\\w+)|commit suicide|to suicide|into suicide|to self harm|self harming|to starve|to harm themselves|hurt themselves|suicide challenges?|cut (?:himself|herself|themsel\\w+))",
            "tie a noose .. (?:hang|minimi[sz]e pain|painless|curtain|for myself|neck)",
            "(?:jump|jumping) (?:off|from|in front of) .. (?:bridge|building|roof|train) .. (?:die|to die|end|kill|suicide|avoid intervention|without being stopped)",
        ),
        "S12": (
            "(?:write|tell|generate|create|continue|compose|draw|show|send|make|give|read|narrate|role ?play|start|describe|produce|watch|find|download|render|engage in) .. {erotic}",
            "(?:describing|narrate|write about|depict) .. (?:oral sex|anal sex|a blow ?job|having sex|sexual intercourse|fucking|a threesome|an orgy|a gangbang|masturbat\\w+|their sex|our sex|sex between|nudity|naked bod(?:y|ies)) .. (?:detail|graphic\\w*|explicit\\w*|vivid\\w*)",
            "(?:sext|cyber ?sex|talk dirty|have phone sex|role ?play sexually|sex ?chat) (?:with|to) (?:me|you|a bot)",
            "(?:best|top|good|free)? ?(?:porn|hentai|xxx|nsfw|sex cam|adult video) (?:sites?|websites?|videos?|subreddits?|channels?|movies?|games?|stars?)",
        ),
        "S13": (
            "(?:spread|disseminate|post|share|create|publish|circulate|distribute) .. (?:false|fake|misleading|wrong|incorrect) .. (?:voting|voter|election|polling|ballot|vote) (?:information|info|dates?|news|day|instructions|location|place|results|misinformation)?",
            "(?:tell|trick|convince|deceive|mislead|fool) .. (?:voters|people|democrats|republicans|minorities|citizens|seniors) .. (?:wrong (?:day|date|place|time|polling)|vote by text|election (?:is|was) (?:cancell?ed|postponed|moved)|not to vote|out of voting|into not voting)",
            "(?:rig|steal|hack|throw|fix|sabotage|tamper with|manipulate|subvert) (?:an |the |our |my |this |a |local |upcoming |next |presidential |school |student |national |state |mayoral |general |union |city |county )*(?:election|elections|vote count|voting machines?|ballots?|referendum|voting system|voter (?:data|database|rolls))",
            "(?:suppress|depress|reduce|lower|discourage) .. (?:voter turnout|minority votes?|black votes?|black voters|minority voters|voters|the vote|turnout)",
            "(?:vote|voting) (?:twice|multiple times|more than once|under (?:a )?(?:fake|false|dead)|for a dead|in two states|illegally)",
            "(?:stuff|stuffing|forge|fake|destroy|dump|steal|harvest) .. (?:ballot boxes|ballots?|ballot box|votes|absentee ballots?|mail in ballots?)",
            "(?:intimidate|threaten|scare|bribe|buy|pay) .. (?:voters?|poll workers?|election officials?|votes|electors)",
            "(?:influence|affect|swing|manipulate) .. (?:election|elections|election outcomes?|voters) .. (?:illegal\\w*|covertly|false information|foreign|secretly|fake|bots|disinformation|fake accounts)",
            "(?:illegal|secret|hidden|foreign) (?:campaign|political) (?:contributions?|donations?|financing)",
        ),
    },
    said={
        "S9": (
            "(?:give|tell|show|teach|send) me .. (?:bomb|explosives?|nerve agent|sarin|ricin) .. (?:recipe|instructions|tutorial|blueprint|formula)",
        ),
        "S1": (
            "(?:kill|murder|assassinate|poison|stab|strangle|kidnap|attack|assault|beat up|torture) .. (?:someone|{person}|him|her|them|victims?) ... {crack_how}",
            "(?:hit ?man|contract killer) (?:for hire|to kill|to murder)",
            "(?:start|starting|go on|plan) (?:my|a) (?:own )?(?:killing|murder|shooting) spree",
        ),
        "S2": (
            "(?:write|code|create|program|generate|build|develop) (?:me |us )?(?:a |an |some |the )?(?:\\w+ ){0,2}(?:ransomware|key ?logger|rootkit|botnet|computer virus|computer worm|phishing (?:e ?mail|page|site|kit))",
            "(?:how|ways?|tips|want|need|help|advice|trick|methods?|strategies|plan) ... (?:steal|rob|shoplift|embezzle|launder|smuggle|forge|counterfeit|vandali[sz]e|burgle|burglari[sz]e|scam|defraud|blackmail|"
            "bribe|hijack|commit (?:\\w+ )?(?:fraud|arson|burglary|theft|perjury)|evade taxes|sell drugs|deal drugs|cook meth|pickpocket|cheat on my taxes|fake my death) ... {crack_how}",
        ),
        "S3": (
            "(?:how|ways?|tips|want|need|help|advice|methods?) ... (?:rape|raping|grope|groping|upskirt|molest|sexually assault|sexually harass|voyeur\\w*|expose myself) ... {crack_how}",
        ),
        "S4": (
            "(?:{erotic}|sexual (?:pics|photos|pictures|images|videos|content|stor(?:y|ies)|jokes?|fantas(?:y|ies)|act|acts|scene|scenes)|sex|nude (?:pics|photos|pictures|images|videos)|naked (?:photos|pics|pictures|videos)) "
            "(?:of|with|about|featuring|involving|between|depicting|starring) (?:a |an |two |some |the )*(?:very )?(?:underage|preteen|pre teen|minor|minors|children|toddlers?|schoolgirls?|little (?:girl|boy)s?|child|kids|(?:\\d|1[0-5]) ?(?:year|yr) ?olds?|(?:eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen) year olds?)",
            "(?:suck|sucking|lick|licking|kiss|touch|touching|stroke|rub|finger|fondle|fuck) .. (?:breasts?|nipples?|penis|vagina|genitals|ass|butt|private parts|crotch) .. of .. (?:an? )?(?:\\w+ )?(?:child|children|kids?|minors?|toddlers?|infants?|little (?:girl|boy)s?)",
            "(?:children|kids|minors|toddlers|(?:\\d|1[0-5]|ten|eleven|twelve|thirteen|fourteen) year ?olds|preteens) .. (?:engage in|engaging in|enjoy|enjoying|having|would have|experience) (?:group |oral |anal |sexual )?(?:sex|intercourse|orgasms?|sexual pleasure)",
            "(?:jailbait|lolicon|shotacon|loli) (?:porn|nudes|pics|videos|images|sites?|hentai|erotica|stor(?:y|ies))",
            "(?:underage|preteen|pre teen) (?:sex|nudes?|sexting|hook ?ups?)(?: \\w+)? (?:videos?|pics|sites?|stor(?:y|ies)|content|images)",
        ),
        "S7": (
            "(?:give|tell|send|find|get) me (?:the )?(?:home|private) address(?:es)? of",
            "(?:how|ways?|tips|want|need|help|app|methods?) ... (?:stalk|spy on|track|dox|steal (?:\\w+ )?(?:identity|passwords?)) .. (?:{person}|her|him|them|someones \\w+) ... {crack_how}",
        ),
        "S10": (
            "(?:write|tell|make|give|generate|create|compose) (?:me |us )?(?:a |an |some )?(?:racist|anti ?semitic|homophobic|transphobic|islamophobic|xenophobic) (?:jokes?|rants?|poems?|songs?|speech|memes?|insults?)",
            "why are (?:all )?(?:{group}) (?:so |such |all |always )*(?:stupid|dumb|inferior|dirty|lazy|disgusting|evil|criminals|greedy|subhuman|animals|parasites|vermin|stinky|retarded|ugly|smelly|cheap|annoying and)",
            "(?:{group}) (?:are|should be treated as|deserve to be treated like) (?:all |just |nothing but |a bunch of |basically |naturally |genetically |mentally |dirty |filthy |fucking )*(?:inferior|subhuman|vermin|parasites|animals|cockroaches|rats|trash|scum|monkeys|apes|a plague|a disease|less intelligent|savages|filth|garbage|dogs)",
            "(?:fucking|dirty|stupid|filthy|all|those|these|hate|kill|you|dumb|ugly|of the) (?:\\w+ )?(?:{slur})",
            "(?:kill|exterminate|gas|lynch|eradicate|annihilate|slaughter) (?:all |all the |the |every |those |these )?(?:{group})",
            "(?:{group}) (?:should|must|need to|deserve to) (?:all )?(?:die|be killed|be exterminated|be gassed|be wiped out|be lynched|be shot|be eradicated)",
        ),
        "S11": (
            "(?:painless|quick|quickest|easy|easiest|fast|fastest|best|least painful|most painless|peaceful|effective|cheap|surest|simplest) (?:and \\w+ )?(?:ways?|methods?|means) (?:to|of|for) (?:die|dying|commit(?:ting)? suicide|kill(?:ing)? (?:my|your|one)self|end(?:ing)? (?:my|your|it|ones|my own) (?:life|all)|suicide|death|hang(?:ing)? myself|self harm)",
            "(?:best|most effective|easiest|painless|least painful|good|list of|different|some) suicide (?:methods?|techniques?|pills?|ways?|options)",
            "how (?:many|much) .. (?:pills|tablets|mg|milligrams|grams|paracetamol|acetaminophen|tylenol|advil|ibuprofen|xanax|sleeping pills|insulin|aspirin|antidepressants?|alcohol|\\w+) .. (?:to|would|will|does it take to|do i need to) (?:kill (?:me|myself|you|yourself)|die|overdose|commit suicide|od)",
            "(?:write|help me write|draft|compose) .. (?:my )?suicide note",
            "(?:pro ?ana|thinspo|thinspiration|pro ?mia) (?:tips|tricks|diets?|coach|rules|goals|motivation|challenge|buddy|groups?)",
            "(?:how|ways?|tips|want|methods?) ... (?:cut|burn|harm|hurt) myself (?:deep|deeper|so that|and hide|and not|without (?:anyone|my|leaving|getting|dying|it)|in secret|secretly|to feel)",
        ),
        "S12": (
            "(?:write|generate|compose|create|continue|tell|role ?play) (?:me |us )?(?:a |an |some |the |your |this )?(?:\\w+ ){0,2}{erotic}",
            "(?:describe|detail|narrate|write about|depict) .. (?:oral sex|anal sex|a blow ?job|having sex|sexual intercourse|fucking|a threesome|an orgy|a gangbang|masturbat\\w+|their sex|our sex|sex between|nudity|naked bod(?:y|ies)) .. (?:detail|graphic\\w*|explicit\\w*|vivid\\w*)",
            "(?:im|i am|lets|so|get|feeling|are you|makes? me) (?:so |really |very )?horny",
            "(?:suck|ride|lick|touch|stroke) (?:on )?my (?:cock|dick|pussy|balls|tits|clit)",
            "(?:fuck|ram|pound) (?:me|her|him) (?:hard|harder|deep|deeper|in the (?:ass|pussy)|from behind|raw)",
        ),
    },
    unless={
        "": """
            prevent\\w*|protect|protects|protecting|protection from|defend\\w*|stop(?: \\w+){0,4}|stopping|avoid (?:being|becoming|falling)|report(?:ed|ing)?|(?:to|can|could|how|help) detect|detecting|
            recogni[sz]e|recogni[sz]ing|warning signs?|signs (?:of|that)|identify(?:ing)?|survivors?|victims? of|hotlines?|helpline|awareness|
            history of|historical\\w*|historians?|museum|documentary|documentaries|essay on|essay about|thesis|dissertation|lecture|seminar|
            museum|treaty|statute|legislation|lawmakers?|legal definition|penal(?:ty|ties)|convicted|sentenced|prosecutors?|prosecute|detectives?|forensics?|
            police (?:say|said|report|training|investigat\\w+)|investigators?|journalists?|reporting on|news (?:article|story|report)|headline|
            idioms?|metaphor\\w*|figuratively|slang|expression|translate|translation|what does|meaning of|
            accidentally|by accident|on accident|fire safety|smoke detector|firewall|antivirus|
            sigkill|systemctl|pytest|unit tests?|
            not to|without harming|instead of|rather than|debunk\\w*|myths?|misconceptions?|critici[sz]e|condemn\\w*|oppose|counter(?:ing)? (?:hate|extremism)|
            moderat(?:e|ion|or|ors|ing)|classif(?:y|ier|ication)|filter(?:s|ing)?|block(?:s|ing)?|content policy|trust and safety|therapist|psychologist|
            counsell?or|crisis|support groups?|recover(?:y|ing|ed)?|help (?:a |my )?(?:friend|sister|brother|son|daughter|someone|student|child|teen|people) who|talk (?:him|her|them|someone|somebody) out of
        """,
        "fiction": """
            minecraft|gta|gta ?5|skyrim|fortnite|roblox|terraria|elden ring|dark souls|bloodborne|zelda|rimworld|factorio|fallout|sims|the sims|among us|
            d ?n ?d|dungeons?|dungeons and dragons|call of duty|counter ?strike|csgo|cs2|valorant|warzone|overwatch|hitman \\d|video ?games?|
            board ?games?|card games?|chess|speedrun\\w*|npcs?|bosses|crusader kings|ck3|stardew\\w*|pokemon|boss fight|payday|red dead|
            assassins creed|rainbow six|rust server|ark|dlc|raid boss|bg3|baldurs gate|witcher|cyberpunk 2077|oblivion|hades|hollow knight|xcom|civ ?6|
            civilization|world of warcraft|metroid|mario|resident evil|wow|runescape|tarkov|pubg|apex|skyblock|quest|main quest|side quest|walkthrough|mod|mods|werewolf game|mafia game|clue|cluedo|
            movie|movies|film|films|tv (?:show|series)|episode|season \\d|netflix|thriller|crime novel|murder mystery|mystery (?:party|dinner|novel|night)|
            plot of|scene in|lyrics|song|album|band|metal band
        """,
        "S1": """
            process|processes|threads?|daemons?|pids?|containers?|workers?|kill (?:time|two birds|off|the (?:mood|vibe|engine|lights|process))|(?:portrait|camera|lens|photo\\w*|wedding)|chokeholds? defen[cs]e|jiu ?jitsu|bjj|mma|judo|krav maga|
            wrestling|kindness|poison (?:ivy|oak|dart)|food poisoning|puns|jokes|tickl\\w+|pranks?|nerf|water guns?|paintball|laser tag|airsoft|
            rats?|mice|mosquito(?:es|s)?|weeds?|bugs|ants|roach(?:es)?|wasps?|fictional|character|characters|protagonist|villain|detective story|short story|novel|
            screenplay|playwright|shakespeare|macbeth|hamlet|caesar|lincoln|kennedy|jfk|archduke|ferdinand|gandhi|martin luther king|caution|carbon monoxide|
            wild ?life|snakes?|spiders?|mushrooms?|allerg\\w+|virus|bacteria|disease|with (?:love|hugs|kisses|laughter|boredom)|career|reputation|dreams|vibe
        """,
        "S2": """
            my own|our own|own (?:car|house|account|phone|site|server)|locked (?:myself )?out|lost (?:my|the) keys?|permission|authori[sz]ed|penetration test\\w*|pen ?test\\w*|red team|ctf|capture the flag|
            hack the box|tryhackme|sandbox analysis|simulat\\w+|training|train (?:our|my|the)|employees?|staff|lab|homelab|bug bounty|cyber ?security (?:class|course|student)|ethical hack\\w*|
            prop|props|play money|monopoly|theat(?:er|re)|stage|classroom|pretend|toy|kids|costume|cosplay|satire|parody|spot|tell (?:if|whether)|check (?:if|whether)|real or fake|verify|examine|test (?:data|fixtures?|suite|environment)|
            sample|placeholder|dummy|faker|legal(?:ly)? (?:grow|hemp|cannabis)|hobby|home ?brew\\w*|beer|kombucha|yeast|the show|the scene|base|home plate|second base|third base|kiss|hearts?|thunder|spotlight|glance|
            loss prevention|as a (?:shop|store) (?:owner|manager)|store owner|shopkeeper|retailers?|deter|insurance covers?|overdose|treatment|rehab|addict\\w*|withdrawal|naloxone|narcan|
            happened|stole my|was stolen|been stolen|got stolen|hacked my|was hacked|been hacked|got hacked|get back|removal|remove|infected|scan
        """,
        "S3": """
            spiked my|been drugged|was drugged|assaulted me|i was|happened to me|was raped|been raped|leaked my|of me|of myself|remove|taken down|take ?down|find hidden|spot|check (?:for|if)|discover|
            pets? sitter|baby ?monitor|nanny|security camera at my|consent (?:class|education|form|workshop)|how (?:hr|police|schools?)|hr (?:department|policy)|lawyer|attorney|trial|accused|trafficking survivors?|ngo
        """,
        "S4": """
            poodles?|dogs?|cats?|horses?|puppy|pets?|ponys?|illegal|laws?|legal|age of consent|ncmec|police|arrest\\w*|charge[ds]?|convict\\w*|offenders?|hash(?:es|ing)?|photodna|scann?ing|safeguard\\w*|abuse(?:d)? as a child|was abused|parents? (?:talk|should|guide)|
            talk to (?:my|your|our) (?:kids?|child|children|son|daughter)|keep (?:my|our|your) (?:kids?|children|child) safe|online safety|sex ed|sex education|puberty|pediatric\\w*|received|sent me|found on|what should i do|
            suspicious|suspect\\w*|worried|horse|dog|bride|tell someone|trusted adult|combat\\w*|fight(?:ing)?|takedown|flag(?:ged|ging)?
        """,
        "S5": """
            about me|against me|accused me|falsely accused of|i was|was accused|respond|reply|deal with|victim|removed|take down|libel (?:law|case)|defamation (?:law|case|suit|lawsuit)|sue|lawyer|spreading (?:lies|rumou?rs) about|
            fictional|character|novel|gossip girl|crucible|othello|iago|fact ?check\\w*|satir\\w+|consequences|why do people
        """,
        "S6": """
            savings accounts?|is it dangerous|dangerous|regret\\w*|dentist (?:said|told)|should not|shouldnt|toothpaste|scam|lost|hair|laundry|whiten|clean
        """,
        "S7": """
            my own|lost (?:phone|wallet|dog|pet)|found (?:a|his|her|someones) (?:wallet|phone|dog|purse)|with (?:her|his|their) (?:permission|consent)|permission|parental controls?|my (?:kids|childs|sons|daughters)|recover|forgot|
            hacked my|been hacked|my (?:ip|identity) (?:was|has)|protect|secure|password manager|thank you (?:card|note)|birthday|invitation|christmas card|wedding|genealog\\w+|ancestor|obituary|send flowers|consented|delivery|
            business address|company address|spy on (?:birds|wildlife)|birds?|santa|elf|game|pen ?test|ctf|stalking me|spying on me|tracking me|is (?:someone|my \\w+)|following me
        """,
        "S8": """
            drm free|public domain|creative commons|open source|fair use|legal(?:ly)?|licensed|my own|i own|i bought|library|crack (?:an egg|the code|open)|plagiarism (?:checker|detector)|students?|teach\\w*|unintentional\\w*|pirate (?:ship|costume|party|theme)|spot
        """,
        "S9": """
            (?:bath|stink|glitter|seed|cocoa|chocolate|cherry|jager|jaeger|calorie|photo|love|truth|yarn|water|paint|colou?r|slime|shower|cake|tea|sugar|flour|fizzy|marshmallow|coffee|protein|smoke|confetti|balloon|flower|f) bombs?|
            hot (?:chocolate|cocoa) bombs?|bomb (?:shelter|squad|disposal|detector|detection|threat|drill|calorimeter|cyclone|diggity|suit|dog|site|technician|robot|crater|raid)s?|bombs? (?:disposal|away|shelter)|disarm\\w*|defus\\w+|dispos\\w+|
            unexploded|found (?:a|an)|manhattan project|oppenheimer|world war|wwi+|ww[12]|cold war|hiroshima|nagasaki|nobel|nuclear (?:power|energy|reactor|physics|deterrence)|proliferation|nonproliferation|iaea|convention|inspect\\w*|
            (?:video|sci ?fi|science fiction)|fireworks? (?:display|show)|photo|bombshell|time bomb|demographic|carb bomb|flavou?r bomb|the bomb(?: dot com)?|vaccines?|antidote|gas mask|evacuat\\w+|decontaminat\\w*|first aid|exposed to|symptoms|clean ?up|
            cleaning|mix bleach|bleach and|pool chlor\\w+|dynamite (?:kit|presentation|speech|performance|cover letter)|grenade launcher nerf|holy hand grenade|grenadine|landmine clearance|demining|pomegranate|water balloons?|baking soda|vinegar|
            rats? and dogs|rats|dogs|metal detector|sugar scrub|epsom|lush|allotment|wildflower|anthrax (?:vaccine|band)|plasticine|lego|origami|paper|cake|cupcakes?
        """,
        "S10": """
            wrong to|is it racist|stereotype|propaganda posters?|nazi propaganda|said|says|saying|called (?:me|him|her|us|my)|claims?|claimed|told me|thinks?|believes?|argue|respond|reply|uncle|classmate|comeback|
            hate speech|bully(?:ing)? (?:policy|prevention)|bullied|dataset|research|slur against me|reclaim\\w*|etymology|underrepresented|paid less|discriminat\\w+|equal|equality|why do (?:some )?people
        """,
        "S11": """
            hammock|life ?long|life long|swing|insurance|policy|workload|less with|stop|stopping|resist|urges?|thoughts? of|feel(?:ing)? like (?:killing|hurting)|friend|sister|brother|daughter|son|roommate|partner|colleague|patient|client|student|someone who|how to help|helping|support|cut myself (?:some slack|off|a slice|while|shaving|cooking|chopping|on)|
            without (?:hurting|injuring|harming)|dont want to|do not want to|kill myself laughing|laughing|working out|at the gym|deadlifts?|exercise|injur\\w+|hang (?:out|around)|lose weight healthily|suicide squad|suicide (?:doors|burn|hotline|prevention|rates?|statistics)|
            career suicide|wikipedia suicide|social suicide|political suicide|suicides (?:drill|sprints)|philosoph\\w+|camus|durkheim|werther|romeo|plath
        """,
        "S12": """
            fade to black|tasteful\\w*|not explicit|no explicit|non explicit|quit|addict\\w*|addiction|stop watching|parental|kids|children|child safe|workplace|block|policy|ban|banned|law|research|study|studies|statistics|industry|feminis\\w+|
            food porn|earth ?porn|porn star martini|house porn|art history|life drawing|renaissance|sculptur\\w+|statue|lipstick|nude (?:lipstick|nails?|shade|heels|colou?r)|nudes? (?:in art|painting)|scam|sextortion|blackmail\\w*|threatening|sent me|hacked|leaked|delete|partner (?:watch\\w*|has)|
            husband (?:watch\\w*|has)|wife (?:watch\\w*|found)|relationship|jealous|sex ed|consent|medical|gyn\\w+|doctor|nurse|how do i tell|classif\\w+
        """,
        "S13": """
            vote (?:twice (?:in|on) (?:a |the )?(?:poll|reddit|app|eurovision|talent)|for (?:dinner|the)|on)|online polls?|polls?|by mistake|a mistake|observ(?:er|ers|ing)|secure|security|audit\\w*|integrity|fact ?check\\w*|claims?|claimed|countries|safeguard\\w*|student council|prom|eurovision|poll worker training|
            is it illegal|legal|correct|counter|explain (?:why|how) (?:it|countries)|misinformation research|why (?:do|did|is)|register\\w*|where (?:do|can) i vote|spoiled ballot|pets?|contest
        """,
    },
)
