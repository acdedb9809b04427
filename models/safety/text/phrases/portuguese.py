"""Portuguese."""

from models.safety.text.matching import Table

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
