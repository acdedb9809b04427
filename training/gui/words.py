# ruff: noqa: E501 - HTML, CSS and words
"""Texts of pages, in several languages."""

import random
from collections.abc import Mapping, Sequence

ACTIONS: Mapping[str, Sequence[str]] = {
    "en": ["Save", "Cancel", "Add to cart", "Sign in", "Create account", "Send", "Delete", "Edit", "Apply", "Continue", "Next", "Back", "Download", "Upload file", "New project", "Share", "Subscribe", "Learn more", "Buy now", "Reset", "Export CSV", "View all", "Try again", "OK", "Invite people", "Load more", "Confirm order", "Filter"],
    "de": ["Speichern", "Abbrechen", "In den Warenkorb", "Anmelden", "Konto erstellen", "Senden", "Löschen", "Bearbeiten", "Übernehmen", "Weiter", "Zurück", "Herunterladen", "Neues Projekt", "Teilen", "Mehr erfahren", "Jetzt kaufen", "Zurücksetzen", "Alle anzeigen"],
    "fr": ["Enregistrer", "Annuler", "Ajouter au panier", "Se connecter", "Créer un compte", "Envoyer", "Supprimer", "Modifier", "Appliquer", "Continuer", "Retour", "Télécharger", "Nouveau projet", "Partager", "En savoir plus", "Acheter", "Réinitialiser", "Tout voir"],
    "es": ["Guardar", "Cancelar", "Añadir al carrito", "Iniciar sesión", "Crear cuenta", "Enviar", "Eliminar", "Editar", "Aplicar", "Continuar", "Volver", "Descargar", "Nuevo proyecto", "Compartir", "Más información", "Comprar ahora", "Restablecer", "Ver todo"],
    "pt": ["Salvar", "Cancelar", "Adicionar ao carrinho", "Entrar", "Criar conta", "Enviar", "Excluir", "Editar", "Aplicar", "Continuar", "Voltar", "Baixar", "Novo projeto", "Compartilhar", "Saiba mais", "Comprar", "Redefinir", "Ver tudo"],
    "pl": ["Zapisz", "Anuluj", "Dodaj do koszyka", "Zaloguj się", "Utwórz konto", "Wyślij", "Usuń", "Edytuj", "Zastosuj", "Dalej", "Wstecz", "Pobierz", "Nowy projekt", "Udostępnij", "Dowiedz się więcej", "Kup teraz", "Resetuj", "Pokaż wszystko"],
    "zh": ["保存", "取消", "加入购物车", "登录", "创建账户", "发送", "删除", "编辑", "应用", "继续", "返回", "下载", "新建项目", "分享", "了解更多", "立即购买", "重置", "查看全部"],
}  # fmt: skip
NOUNS: Mapping[str, Sequence[str]] = {
    "en": ["Home", "Products", "Pricing", "Documentation", "Blog", "About us", "Contact", "Dashboard", "Orders", "Customers", "Reports", "Settings", "Profile", "Messages", "Billing", "Notifications", "Security", "Help", "Team", "Projects", "Calendar", "Analytics", "Inbox", "Files", "Language", "Privacy", "Terms", "Overview", "History", "Integrations"],
    "de": ["Startseite", "Produkte", "Preise", "Dokumentation", "Über uns", "Kontakt", "Übersicht", "Bestellungen", "Kunden", "Berichte", "Einstellungen", "Profil", "Nachrichten", "Abrechnung", "Sicherheit", "Hilfe", "Team", "Projekte", "Kalender", "Dateien", "Sprache", "Datenschutz"],
    "fr": ["Accueil", "Produits", "Tarifs", "Documentation", "À propos", "Contact", "Tableau de bord", "Commandes", "Clients", "Rapports", "Paramètres", "Profil", "Messages", "Facturation", "Sécurité", "Aide", "Équipe", "Projets", "Calendrier", "Fichiers", "Langue", "Confidentialité"],
    "es": ["Inicio", "Productos", "Precios", "Documentación", "Nosotros", "Contacto", "Panel", "Pedidos", "Clientes", "Informes", "Ajustes", "Perfil", "Mensajes", "Facturación", "Seguridad", "Ayuda", "Equipo", "Proyectos", "Calendario", "Archivos", "Idioma", "Privacidad"],
    "pt": ["Início", "Produtos", "Preços", "Documentação", "Sobre nós", "Contato", "Painel", "Pedidos", "Clientes", "Relatórios", "Configurações", "Perfil", "Mensagens", "Cobrança", "Segurança", "Ajuda", "Equipe", "Projetos", "Calendário", "Arquivos", "Idioma", "Privacidade"],
    "pl": ["Strona główna", "Produkty", "Cennik", "Dokumentacja", "O nas", "Kontakt", "Panel", "Zamówienia", "Klienci", "Raporty", "Ustawienia", "Profil", "Wiadomości", "Rozliczenia", "Bezpieczeństwo", "Pomoc", "Zespół", "Projekty", "Kalendarz", "Pliki", "Język", "Prywatność"],
    "zh": ["首页", "产品", "价格", "文档", "关于我们", "联系", "仪表板", "订单", "客户", "报告", "设置", "个人资料", "消息", "账单", "安全", "帮助", "团队", "项目", "日历", "文件", "语言", "隐私"],
}  # fmt: skip
FIELDS: Mapping[str, Sequence[str]] = {
    "en": ["First name", "Last name", "Email address", "Password", "Phone number", "Company", "Street address", "City", "Country", "Postal code", "Card number", "Search", "Message", "Title", "Website", "Date of birth", "Quantity", "Time zone"],
    "de": ["Vorname", "Nachname", "E-Mail-Adresse", "Passwort", "Telefonnummer", "Firma", "Straße", "Ort", "Land", "Postleitzahl", "Kartennummer", "Suche", "Nachricht", "Titel", "Geburtsdatum", "Menge"],
    "fr": ["Prénom", "Nom", "Adresse e-mail", "Mot de passe", "Téléphone", "Société", "Rue", "Ville", "Pays", "Code postal", "Numéro de carte", "Recherche", "Message", "Titre", "Quantité"],
    "es": ["Nombre", "Apellidos", "Correo electrónico", "Contraseña", "Teléfono", "Empresa", "Calle", "Ciudad", "País", "Código postal", "Número de tarjeta", "Buscar", "Mensaje", "Título", "Cantidad"],
    "pt": ["Nome", "Sobrenome", "E-mail", "Senha", "Telefone", "Empresa", "Rua", "Cidade", "País", "CEP", "Número do cartão", "Buscar", "Mensagem", "Título", "Quantidade"],
    "pl": ["Imię", "Nazwisko", "Adres e-mail", "Hasło", "Telefon", "Firma", "Ulica", "Miasto", "Kraj", "Kod pocztowy", "Numer karty", "Szukaj", "Wiadomość", "Tytuł", "Ilość"],
    "zh": ["名字", "姓氏", "电子邮件", "密码", "电话号码", "公司", "街道地址", "城市", "国家", "邮政编码", "卡号", "搜索", "留言", "标题", "数量"],
}  # fmt: skip
SENTENCES: Mapping[str, Sequence[str]] = {
    "en": ["Your changes have been saved.", "We will never share your address with anyone else.", "Free delivery on all orders over 50 euros.", "The quarterly report is ready for review.", "Choose how you want to be notified about activity.", "Thanks for your message, I will look into it today.", "This action cannot be undone.", "Made of solid oak and finished by hand.", "Results are updated every fifteen minutes.", "Ends on Friday at noon.", "Keep me signed in on this device", "Send me product news by e-mail", "Last updated 3 hours ago"],
    "de": ["Ihre Änderungen wurden gespeichert.", "Wir geben Ihre Adresse niemals weiter.", "Kostenloser Versand ab 50 Euro.", "Der Quartalsbericht liegt zur Prüfung bereit.", "Diese Aktion kann nicht rückgängig gemacht werden.", "Aus massiver Eiche, von Hand geölt.", "Angemeldet bleiben", "Neuigkeiten per E-Mail erhalten"],
    "fr": ["Vos modifications ont été enregistrées.", "Nous ne partageons jamais votre adresse.", "Livraison gratuite dès 50 euros d'achat.", "Le rapport trimestriel est prêt.", "Cette action est irréversible.", "En chêne massif, fini à la main.", "Rester connecté", "Recevoir les nouveautés par e-mail"],
    "es": ["Sus cambios se han guardado.", "Nunca compartiremos su dirección.", "Envío gratis en pedidos de más de 50 euros.", "El informe trimestral está listo.", "Esta acción no se puede deshacer.", "De roble macizo, acabado a mano.", "Mantener la sesión iniciada", "Recibir novedades por correo"],
    "pt": ["Suas alterações foram salvas.", "Nunca compartilhamos seu endereço.", "Frete grátis acima de 50 euros.", "O relatório trimestral está pronto.", "Esta ação não pode ser desfeita.", "Em carvalho maciço, acabado à mão.", "Manter conectado", "Receber novidades por e-mail"],
    "pl": ["Zmiany zostały zapisane.", "Nigdy nie udostępniamy adresu.", "Darmowa dostawa od 50 euro.", "Raport kwartalny jest gotowy.", "Tej czynności nie można cofnąć.", "Z litego dębu, wykończone ręcznie.", "Nie wylogowuj mnie", "Otrzymuj nowości e-mailem"],
    "zh": ["您的更改已保存。", "我们绝不会分享您的地址。", "订单满50欧元免运费。", "季度报告已准备好供审阅。", "此操作无法撤消。", "实心橡木,手工打磨。", "保持登录状态", "通过电子邮件接收新闻"],
}  # fmt: skip
NAMES = ["Anna Keller", "Ben Okafor", "Clara Rossi", "David Chen", "Elena Petrova", "Farid Haddad", "Greta Lind", "Hugo Martin", "Ines Costa", "Jonas Weber"]  # fmt: skip
THINGS = ["Oak desk lamp", "Travel mug 350 ml", "Wool blanket", "Desk organiser", "Running shoes", "Ceramic bowl", "Backpack 20 l", "Wireless mouse", "Notebook A5", "Garden chair"]  # fmt: skip
LANGUAGES = tuple(ACTIONS)


class Words:
    """Generator of random words of one language."""

    def __init__(self, language: str, dice: random.Random) -> None:
        self.language = language
        self._dice = dice

    def action(self) -> str:
        return self._dice.choice(ACTIONS[self.language])

    def noun(self) -> str:
        return self._dice.choice(NOUNS[self.language])

    def nouns(self, count: int) -> list[str]:
        return self._dice.sample(NOUNS[self.language], count)

    def field(self) -> str:
        return self._dice.choice(FIELDS[self.language])

    def sentence(self) -> str:
        return self._dice.choice(SENTENCES[self.language])

    def paragraph(self) -> str:
        return " ".join(self.sentence() for _ in range(self._dice.randint(2, 5)))

    def name(self) -> str:
        return self._dice.choice(NAMES)

    def thing(self) -> str:
        return self._dice.choice(THINGS)

    def price(self) -> str:
        return f"€ {self._dice.randint(4, 400)}.{self._dice.choice(('00', '50', '90', '99'))}"

    def number(self) -> str:
        return f"{self._dice.randint(2, 99_999):,}"

    def date(self) -> str:
        return f"{self._dice.randint(1, 28)}.{self._dice.randint(1, 12)}.2026"
