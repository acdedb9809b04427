"""Words by which a hidden English text is recognised once it is uncovered."""

import re

COMMON = frozenset(
    """
    a about above across act actually after again against age ago all allow almost alone along already also although
    always am among an and another answer any anyone anything apart are around as ask at away back bad bag bank base be
    because become been before begin behind being believe below best better between big bit black blood blue board body
    book both box boy break bring build building built business but buy by call came can cannot car card care carry case
    cat catch caught cause certain chance change check child children city class clean clear close code cold come common
    company computer contain control cook cool copy cost could country course cover create cut data day dead deal dear
    death decode deep describe detail details did die different do does doing dog done door down draw drink drive drop
    during each early earth easy eat effect else email end enough even evening ever every everyone everything example
    explain eye face fact fall family far fast father feel few field fight file find fire first fix follow following
    food for force forget form found four free friend from front full fun game gave get girl give given go going gold
    gone good got great green ground group grow guide guy had half hand happen hard has hate have he head hear heard
    heart help her here hi hide high him himself his history hit hold home hope hot hour house how however human
    hundred i idea if ignore important in inside instead instruction instructions into is it its itself job just keep
    kept key kid kind know known land large last late later laugh law lead learn least leave left less let letter life
    light like line list listen little live local long look looking lose lost lot love low machine made main make
    making man many mark market matter may maybe me mean meet member men message method might mind minute miss moment
    money month more morning most mother mouth move much music must my myself name near need never new news next night
    no nobody none nor not note nothing now number of off office often oh old on once one only open or order other our
    out outside over own page paper part party pass past pay people person phone pick picture place plan plant play
    please point police possible power present press print problem process produce program public pull push put
    question quick quickly quite rain ran read reading ready real really reason receive red remember reply report
    response rest result return right road room rule run safe said sale same save saw say school sea search second
    secret see seem seen sell send sense sentence set several shall share she ship shop short should show side simple
    simply since single sister sit site situation six sleep slow small so social some someone something sometimes son
    soon sorry sound speak special spend stand start state stay step steps still stop store story street strong student
    study stuff such sure system table take taken talk tell ten test text than thank that the their them then there
    these they thing things think this those though thought three through time to today together told tomorrow tonight
    too took top toward town translate tree trip true trust try turn two type under understand until up upon us use
    used user using usual very via view visit voice wait walk wall want war warm was watch water way ways we week well
    went were what when where which while white who whole whom whose why will wind window wish with within without
    woman women wonder word words work world would write writing wrong year years yes yet you young your yourself
    """.split()
)
"""The most frequent words of English, and of orders to a machine."""

TELLING = frozenset(
    """
    abduct abuse acid addict aids ammo ammonium ammunition anal anarchist anarchy anthrax arsenal arson arsonist ass
    assassin assassinate assassination assault asshole attack ballot bastard beheading bestiality bioweapon bitch
    blackmail blade bleach blowjob bomb bomba bombard bombe bomben bomber bombing bombs boob boobs botnet bribe bribery
    bullet burglar burglary cannibal carding cartel cheat choke chlorine clit cock cocaine coke condom corpse
    counterfeit crack creampie crime criminal cum cumshot cunnilingus cunt cyanide cybersex ddos deepfake defame
    defamation destroy detonate detonator dick dildo disguise dismember dox doxx doxxing drown drug drugs dynamite
    ecstasy ejaculate election embezzle embezzlement erotic erotica escort evade evidence execute exploit explode
    exploding explosion explosive explosives exploits extort extortion extremist fag faggot fake fascist fellatio
    fentanyl fetish firearm firearms forge forged forgery fraud fuck fucked fucker fucking fuckers gang gas genocide
    ghb glock grenade groom gun gunpowder guns hack hacked hacker hacking handcuffs handgun handjob hang harass harm
    hashish herion heroin hijack hitler hitman holocaust homicide hooker horny hostage hurt illegal illegally incest
    infidel insult intercourse jailbait jailbreak jerk jew jews jihad kamikaze ketamine keylogger kidnap kidnapping
    kill killed killer killing kills kkk knife launder laundering lesbian loli lolita loot lsd lynch malware manifesto
    marijuana massacre masturbate masturbation mdma meth methamphetamine milf minor minors molest molester molotov
    morphine murder murderer murders muslim muslims mutilate naked napalm nazi nazis negro nerve nigga nigger nitrate
    nitroglycerin noose novichok nuclear nude nudes opioid opium oral orgasm orgy overdose paedophile paki password
    passwords pedo pedophile pedophilia peeping penis perv pervert phish phishing pimp piracy pirate pistol plutonium
    poison poisoning polonium porn porno pornographic pornography predator pressure preteen prostitute prostitution
    pubes pussy racism racist ransom ransomware rape raped raper rapes raping rapist retard retarded revenge ricin
    rifle riot rob robbery rohypnol roofie sabotage sadist sarin scam scammer schoolgirl sedate seduce self semen sex
    sexting sextortion sexual sexy shit shoot shooter shooting shotgun skimmer slaughter slave slavery slit slut slur
    slurs smuggle smuggling sniper spank sperm spyware stab stabbing stalk stalker stalking starve steal stealing
    stolen strangle strip stripper strychnine suffocate suicidal suicide swastika taliban terror terrorism terrorist
    terrorists threat threaten threesome thief tits titties torture toxic toxin traffick trafficking trojan torpedo
    tranny troll twink undetected underage upskirt uranium vagina vandal vandalism venom vibrator victim victims
    violence violent virus voyeur vulva weapon weaponize weapons weed whore wrists xanax
    """.split()
)
"""Words of the subjects that a guard looks for, some in other languages: what people disguise."""

KNOWN = COMMON | TELLING

_WORD = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile(r"[aeiouyáéíóúàèìòùäëïöüâêîôûãõå]")
_HEAP = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}")


def is_pronounceable(word: str) -> bool:
    """Has the vowels and consonants of a word in Latin letters; words in other letters count as such."""
    word = word.casefold()
    return not word.isascii() or (bool(_VOWEL.search(word)) and not _HEAP.search(word))


def is_readable(text: str) -> bool:
    """Whether bytes that were decoded to `text` were a text: words and what stands between them, no key or picture."""
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return False
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    if 2 * letters < len(text.replace(" ", "")):
        return False
    if any(len(word) >= 3 and word.casefold() in KNOWN for word in words):
        return True
    if not text.isascii():
        return letters >= 4 and max(map(len, words)) >= 2
    plain = [word for word in words if is_pronounceable(word) and _has_the_case_of_a_word(word)]
    return letters >= 12 and 3 * sum(map(len, plain)) > 2 * letters and max(map(len, words)) <= 24


def _has_the_case_of_a_word(word: str) -> bool:
    return word.islower() or word.isupper() or word.istitle()
