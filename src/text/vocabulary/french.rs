//! The words of French.

use super::{BlogWords, Vocabulary};

/// The words of French.
pub static FRENCH: Vocabulary = Vocabulary {
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    weekdays: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    grammar: "
        a au aux avec ce ces cette d dans de des du en est et l la le les n ne ou par pas plus pour que qui sa sans se
        ses son sont sur un une y",
    framing: "actualite actualites communique info jour mis point",
    untelling: "
        afin ainsi alors annee annees ans apres article articles aucun aupres aussi autour autre autres avant avoir
        avons ayant bien c car cas ceci cela celle celles celui cet ceux chaque chez comme comment communiques contre
        declare depuis deux dit doit doivent donc dont dossier durant elle elles encore entre etaient etait etant ete
        etre eux faire fait faut fois font grace heure heures hors il ils information informations je jours jusqu
        jusque leur leurs lire lors lorsque mais me meme memes mes mieux mise moins mois mon newsletter ni non nos
        notamment notre nous nouveau nouveaux nouvel nouvelle nouvelles on ont page parce parmi partie partir pendant
        permet permettent permettre peu peut peuvent plusieurs pourquoi pourra pouvoir premier premiere premieres
        premiers pres presse publication publie publiee puis qu quand quatre quel quelle quelles quels quoi savoir
        selon semaine semaines sera seront seulement si site soit sous souvent suite suivant ta tant tel telle tous
        tout toute toutes travers tres trois tu vers via voici voir vos votre vous",
    blog: BlogWords {
        openings: &["L'article ", "Cet article ", "Le billet ", "Ce billet ", "La publication "],
        claims: &[
            " est apparu en premier sur ",
            " a été publié en premier sur ",
            " est paru en premier sur ",
            " est apparue en premier sur ",
            " est d'abord apparu sur ",
        ],
        more: &[
            "lire la suite",
            "lire la suite de l'article",
            "voir la suite",
            "la suite",
            "lire l'article",
            "lire l'article complet",
            "lire l'article en entier",
            "lire plus",
            "en lire plus",
            "en savoir plus",
            "continuer la lecture",
            "poursuivre la lecture",
            "continuer à lire",
            "ajouter un commentaire",
            "laisser un commentaire",
            "se connecter pour poster des commentaires",
            "identifiez-vous pour poster des commentaires",
            "se connecter ou s'inscrire pour poster un commentaire",
        ],
        more_of: &["lire la suite ", "continuer la lecture ", "poursuivre la lecture ", "en savoir plus sur "],
        about: &[" à propos de", " de", " sur"],
    },
};
