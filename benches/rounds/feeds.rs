//! Made-up French feeds: the same for the same feed number and age, half of them RSS, half Atom.
//!
//! Each holds the newest 20 entries of an endless row. Of all entries, one in ten is about the topic of the benchmark
//! (in its title or its text) and one in twenty is a wire story, which several feeds tell with the same title, text and
//! link. Most texts mention a school, so that a topic on schools takes most of the store.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

/// Entries of one document.
pub const ENTRIES: usize = 20;
/// Hosts that the feeds lie on, all of them this machine.
pub const HOSTS: usize = 200;
/// The feeds that have one new entry in each round: one in so many.
pub const CHANGING: usize = 10;

const TOPIC: &str = "numérique éducatif";

const WHO: [&str; 24] = [
    "la rectrice",
    "le proviseur",
    "une cheffe d'établissement",
    "le maire",
    "une romancière",
    "le comité des fêtes",
    "la présidente de région",
    "un géographe",
    "la coopérative laitière",
    "le club d'astronomie",
    "une infirmière scolaire",
    "le préfet",
    "un éditeur indépendant",
    "la chambre régionale des comptes",
    "une équipe de biologistes",
    "le conseil municipal",
    "la compagnie de théâtre",
    "un ancien ministre",
    "la fédération des cyclistes",
    "le directeur du port",
    "une apicultrice",
    "la médiathèque",
    "le juge des référés",
    "une association de riverains",
];
const DOES: [&str; 20] = [
    "inaugure",
    "défend",
    "refuse",
    "propose",
    "reporte",
    "dévoile",
    "examine",
    "soutient",
    "interroge",
    "relance",
    "réduit",
    "double",
    "autorise",
    "compare",
    "raconte",
    "chiffre",
    "redoute",
    "salue",
    "prolonge",
    "enterre",
];
const WHAT: [&str; 28] = [
    "le chantier du gymnase",
    "une charte des écrans",
    "la carte des collèges",
    "le projet de tramway",
    "une enquête sur les rivières",
    "le prix du pain",
    "la fermeture d'une classe",
    "un atlas des oiseaux",
    "le plan de lutte contre les inondations",
    "la gratuité des bus",
    "une bourse pour les apprentis",
    "le concours de dictée",
    "la réserve naturelle",
    "un fonds pour les cinémas",
    "le recrutement des remplaçants",
    "une carrière de granit",
    "la fête du cidre",
    "le logement des étudiants",
    "un réseau de capteurs",
    "la collecte des biodéchets",
    "le réemploi des manuels",
    "une ligne de nuit",
    "la restauration de la cathédrale",
    "un internat rural",
    "le calendrier des vacances",
    "une ferme pédagogique",
    "la sécurité aux abords du stade",
    "un service civique bénévole",
];
const HOW: [&str; 18] = [
    "après un long débat",
    "malgré l'avis contraire des experts",
    "en présence de nombreux habitants",
    "sans attendre la décision de l'État",
    "au terme d'une consultation",
    "faute de crédits",
    "contre toute attente",
    "à l'occasion du centenaire",
    "sous la pression des commerçants",
    "avec le concours de bénévoles",
    "avant la fin du mois",
    "devant une salle comble",
    "à titre d'essai",
    "dans un climat apaisé",
    "par une courte majorité",
    "au lendemain de la tempête",
    "selon un rapport interne",
    "pour la troisième année",
];
const SCHOOL: [&str; 8] = [
    "À l'école primaire, on attend la suite",
    "Les parents de l'école voisine ont été prévenus",
    "Le projet concerne aussi une école maternelle",
    "Une visite de l'école est prévue jeudi",
    "L'école du bourg servira de point de rencontre",
    "Plusieurs classes de l'école y ont travaillé",
    "La cour de l'école sera refaite plus tard",
    "Rien ne change pour l'école privée",
];
const UNITS: [&str; 10] =
    ["euros", "élèves", "foyers", "hectares", "kilomètres", "signatures", "emplois", "places", "jours", "tonnes"];
const SYLLABLES: [&str; 24] = [
    "ba", "cor", "dé", "fau", "gri", "lan", "mer", "no", "pla", "quin", "ro", "sal", "tré", "val", "vier", "zan",
    "bour", "chê", "mont", "lou", "ver", "ny", "gnac", "ville",
];
const FIRST_NAMES: [&str; 12] =
    ["Anaïs", "Bruno", "Céline", "Driss", "Élodie", "Fatou", "Gaël", "Hélène", "Ivan", "Joëlle", "Kévin", "Maïwenn"];
const CATEGORIES: [&str; 14] = [
    "Société",
    "Culture",
    "Transports",
    "Éducation",
    "Justice",
    "Nature",
    "Agriculture",
    "Patrimoine",
    "Santé",
    "Logement",
    "Sports",
    "Budget",
    "Jeunesse",
    "Vie locale",
];

/// The host of a feed.
pub fn host(feed: usize) -> String {
    format!("127.0.1.{}", feed % HOSTS + 1)
}

/// Whether a feed has a new entry in a round.
pub fn changes(feed: usize, round: usize) -> bool {
    feed % CHANGING == round % CHANGING
}

/// Writes the document of a feed whose newest entry has this number; `feeds` is how many feeds there are.
pub fn document(feed: usize, newest: usize, feeds: usize, today: DateTime<Utc>) -> String {
    let entries = (0..ENTRIES).map(|back| Entry::new(feed, newest - back, feeds, today));
    if feed.is_multiple_of(2) { rss(feed, entries) } else { atom(feed, entries) }
}

struct Entry {
    title: String,
    html: String,
    link: String,
    id: String,
    author: &'static str,
    categories: [&'static str; 2],
    date: DateTime<Utc>,
}

impl Entry {
    fn new(feed: usize, number: usize, feeds: usize, today: DateTime<Utc>) -> Self {
        let mut chance = Chance::new(&[1, feed, number]);
        let minutes = 37 * (200 - i64::try_from(number).unwrap_or(0)) + i64::try_from(feed % 37).unwrap_or(0);
        let date = today - TimeDelta::minutes(minutes);
        let own_id = format!("tag:{},2026:{feed}:{number}", host(feed));
        let (mut words, link) = if chance.one_in(20) {
            let wire = chance.below((feeds / 2).max(10));
            (Chance::new(&[2, wire]), format!("http://127.0.2.1/depeche/{wire}"))
        } else {
            (Chance::new(&[3, feed, number]), format!("http://{}/article/{feed}/{number}", host(feed)))
        };
        let id = if chance.one_in(2) { link.clone() } else { own_id };
        let (in_title, in_text) = match words.below(100) {
            0..4 => (true, false),
            4..10 => (false, true),
            _ => (false, false),
        };
        Self {
            title: words.title(in_title),
            html: words.html(in_text),
            link,
            id,
            author: words.of(&FIRST_NAMES),
            categories: [words.of(&CATEGORIES), words.of(&CATEGORIES)],
            date,
        }
    }
}

/// Numbers that look random and are the same for the same seed (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn new(seed: &[usize]) -> Self {
        let mut chance = Self(0);
        for part in seed {
            chance.0 = chance.next() ^ u64::try_from(*part).unwrap();
        }
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// A name that stands in no list: of a place or of a person.
    fn name(&mut self) -> String {
        let syllables = 2 + self.below(2);
        capital(&(0..syllables).map(|_| self.of(&SYLLABLES)).collect::<String>())
    }

    fn title(&mut self, on_topic: bool) -> String {
        let what = if on_topic { format!("le {TOPIC}") } else { self.of(&WHAT).to_owned() };
        let title = format!("{} {} {what} à {}", capital(self.of(&WHO)), self.of(&DOES), self.name());
        if self.one_in(3) { format!("{title} : {} {}", 2 + self.below(900), self.of(&UNITS)) } else { title }
    }

    fn sentence(&mut self) -> String {
        let (who, does, what, how) = (capital(self.of(&WHO)), self.of(&DOES), self.of(&WHAT), self.of(&HOW));
        match self.below(4) {
            0 => format!(
                "{who} {does} {what} {how}, soit {} {} à {}.",
                2 + self.below(9_000),
                self.of(&UNITS),
                self.name()
            ),
            1 => format!("{} {} {does} {what} {how}.", self.of(&FIRST_NAMES), self.name()),
            2 => format!("« {} {} {}, {how} », résume {}.", capital(what), self.of(&DOES), self.of(&WHAT), self.name()),
            _ => format!("{who} {does} {what} {how} et {} {}.", self.of(&DOES), self.of(&WHAT)),
        }
    }

    /// About 1.5 KB.
    fn html(&mut self, on_topic: bool) -> String {
        let mut html = String::new();
        let length = 1_100 + self.below(800);
        let school = !self.one_in(6);
        while html.len() < length {
            let mut text = self.sentence();
            for _ in 0..self.below(3) {
                write!(text, " {}", self.sentence()).unwrap();
            }
            if html.is_empty() && school {
                write!(text, " {}.", self.of(&SCHOOL)).unwrap();
            }
            if html.is_empty() && on_topic {
                write!(text, " Le {TOPIC} est au programme {}.", self.of(&HOW)).unwrap();
            }
            let number = self.below(9_999);
            match self.below(8) {
                0 => writeln!(html, "<blockquote>{text}</blockquote>"),
                1 => writeln!(html, "<p><img src=\"http://127.0.1.1/image/{number}.jpg\" alt=\"\" /> {text}</p>"),
                2 => writeln!(
                    html,
                    "<p><a href=\"http://127.0.1.1/dossier/{number}?a=1&amp;b=2\">Dossier</a> <em>{text}</em></p>"
                ),
                _ => writeln!(html, "<p>{text}</p>"),
            }
            .unwrap();
        }
        html
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn rss(feed: usize, entries: impl Iterator<Item = Entry>) -> String {
    let mut document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n\
         <channel>\n<title>La gazette n° {feed}</title>\n<link>http://{}/</link>\n\
         <description>Nouvelles du canton {feed}</description>\n<language>fr</language>\n",
        host(feed)
    );
    for Entry { title, html, link, id, author, categories: [first, second], date } in entries {
        write!(
            document,
            "<item>\n<title>{}</title>\n<link>{link}</link>\n<guid isPermaLink=\"{}\">{id}</guid>\n\
             <dc:creator>{author}</dc:creator>\n<pubDate>{}</pubDate>\n<category>{first}</category>\n\
             <category>{second}</category>\n<description>{}</description>\n\
             <content:encoded><![CDATA[{html}]]></content:encoded>\n</item>\n",
            escaped(&title),
            id == link,
            date.to_rfc2822(),
            escaped(&title),
        )
        .unwrap();
    }
    document + "</channel>\n</rss>\n"
}

fn atom(feed: usize, entries: impl Iterator<Item = Entry>) -> String {
    let mut document = String::new();
    for Entry { title, html, link, id, author, categories: [first, second], date } in entries {
        let date = date.format("%Y-%m-%dT%H:%M:%SZ");
        if document.is_empty() {
            write!(
                document,
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" \
                 xml:lang=\"fr\">\n<title>Le carnet n° {feed}</title>\n<id>http://{host}/carnet/{feed}</id>\n\
                 <link rel=\"alternate\" href=\"http://{host}/\"/>\n<updated>{date}</updated>\n",
                host = host(feed)
            )
            .unwrap();
        }
        write!(
            document,
            "<entry>\n<title>{}</title>\n<link rel=\"alternate\" type=\"text/html\" href=\"{link}\"/>\n<id>{id}</id>\n\
             <published>{date}</published>\n<updated>{date}</updated>\n<author><name>{author}</name></author>\n\
             <category term=\"{first}\"/>\n<category term=\"{second}\"/>\n<summary>{}</summary>\n\
             <content type=\"html\">{}</content>\n</entry>\n",
            escaped(&title),
            escaped(&title),
            escaped(&html),
        )
        .unwrap();
    }
    document + "</feed>\n"
}
