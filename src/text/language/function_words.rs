//! Function words of languages written in Latin letters, and what they prove of a text.

use std::sync::LazyLock;

/// Languages with a list.
const LISTS: usize = 16;

/// By language: its most frequent words. Names that begin so (`Le Pen`, `Des Moines`, `El País`) prove nothing alone.
const WORDS: [(&str, &str); LISTS] = [
    (
        "fr",
        "le la les l des d du de un une et est dans pour avec qui que qu sur au aux par ne pas se ce c n s j y en ou où à \
         il elle ils elles on sont ont cette ces cet son sa ses leur leurs plus mais comme nous vous je été être fait sans \
         sous entre aussi après tout tous même contre depuis selon chez vers comment pourquoi quand très afin lors dont \
         notre votre était ainsi deux donc",
    ),
    (
        "en",
        "the and of is for with that you to in on are this from by an it be as a at or was were have has had not but they \
         his her its their what which who when how why will would can could all more after before over about into than \
         then there been being we our your she he if do does did such only other some any out up",
    ),
    (
        "de",
        "der die das und ist in den von zu mit sich des auf für nicht ein eine einer eines einem einen als auch es an \
         werden aus er hat dass sie nach wird bei um am sind noch wie über so zum zur war haben nur oder aber vor bis mehr \
         durch man dem wenn gegen unter wegen beim vom im ich wir ihr ohne seit kann soll sein seine",
    ),
    (
        "es",
        "de la que el en y a los del se las por un para con no una su al lo como más pero sus le ya o este sí porque esta \
         entre cuando muy sin sobre también me hasta hay donde desde todo nos durante todos uno les ni contra otros ese \
         eso ante ellos e esto antes algunos qué unos yo otro fue ser es son era está han ha",
    ),
    (
        "ca",
        "de la i el l que a en els les del per un d amb una és no al s als dels n es va ha més perquè com però o ja ho hi \
         si són aquest aquesta aquests entre sobre fins molt també sense des pels pel han seva seu seus seves ens ser qui \
         quan nous",
    ),
    (
        "it",
        "di e il la che in un a per è una sono con non del da si le dei al nel della i gli alla delle ha come più lo anche \
         dal su alle dalla ma se o tra sul nella degli ai questo questa suo sua l dell all nell sull dall c d loro stato \
         essere ancora perché dopo senza contro",
    ),
    (
        "pt",
        "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou \
         ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos seus quem nas \
         eles você sobre são num numa após contra ainda",
    ),
    (
        "nl",
        "de het een en van in is op te dat die voor met zijn niet aan er om ook als dan maar bij of uit nog naar worden \
         door wordt over hij ze wat deze heeft hebben tot je was kan meer geen nu tegen zich na moet zo dit waar wel onder \
         hun al haar we ik toch veel",
    ),
    (
        "gl",
        "de o a que e do da en un para con non unha os as no na por máis ao dos das como pero foi é á nun xa tamén entre \
         súa seu pola polo se son ten aos ou nas nos",
    ),
    (
        "da",
        "og i at det en et den til er som på de med han af for ikke der var sig men har om vi havde ham hun nu over da fra \
         du ud dem os op man hans hvor eller skal her alle vil blev kunne ind når dog efter ned dette også under anden \
         meget mod disse hvis nogle blive bliver været sådan hvad",
    ),
    (
        "nb",
        "og i at det en et den til er som på de med han av for ikke der var seg men har om vi hadde hun nå over da ved fra \
         du ut dem oss opp man hans hvor eller skal her alle vil ble blir kunne inn når være noen noe etter ned dette også \
         under mot mye disse hvis uten hvordan mellom hver både bare enn fordi før mange vært hva",
    ),
    (
        "sv",
        "och det att i en ett jag hon som han på den med var sig för så till är men om hade de av icke du då nu har inte \
         hans skulle där man ej vid kunde något från ut när efter upp dem vara vad över än kan här mot alla under någon \
         eller allt mycket sedan denna detta utan varit hur bli blev oss dessa några samma vilken inom mellan varför vilka",
    ),
    (
        "ro",
        "de și şi în la a cu pe care un o din să nu este pentru al ce mai sunt au fi ai fost ca prin după dar sau cele lui \
         acest această ei se s într dintr unei unui ale cei fără între cum când despre până",
    ),
    (
        "pl",
        "w i na z do się nie że to jest o a jak po od za przez ale dla co są tego być tym już oraz ze może które który \
         która przed tylko ma lub jego jej ich był była było czy przy pod",
    ),
    (
        "cs",
        "a je v na se že s z do to i o k ve pro za by ale si po jako od jsou byl které který která při nebo už co ze tak jen \
         aby jeho podle",
    ),
    (
        "fi",
        "ja on ei että se oli hän en mutta kun niin myös ovat tai sen mukaan jo olla voi vain joka ole jos nyt mitä sekä",
    ),
];

/// The places of French and English in the list.
pub(super) const FRENCH: usize = 0;
pub(super) const ENGLISH: usize = 1;

/// Function words that a text needs to be clear.
const CLEAR_MIN: u8 = 4;

/// The least number of these words that no other list has.
const TELLING_MIN: u8 = 2;

/// Function words that a text needs beside a declaration.
const AGREED_MIN: u8 = 2;

/// The part of a text, as a divisor, that may look like function words of another language by chance.
const CHANCE: usize = 4;

/// Words counted of each text at most.
const COUNTED_MAX: u8 = 250;

/// The longest word that is looked up, in bytes.
const WORD_MAX: usize = 8;

/// A number for each language.
type PerLanguage = [u8; LISTS];

/// A function word: the languages that have it, and the language that alone has it.
#[derive(Debug, Clone, Copy, Default)]
struct FunctionWord {
    word: u64,
    all: PerLanguage,
    telling: PerLanguage,
}

/// Slots of the table: a power of two, over twice the number of words.
const SLOTS: usize = 2_048;

/// The function words, by their hash; a word that finds its slot taken is in the next.
static TABLE: LazyLock<Vec<FunctionWord>> = LazyLock::new(|| {
    let mut table = vec![FunctionWord::default(); SLOTS];
    for (language, (_, words)) in WORDS.iter().enumerate() {
        for word in words.split_whitespace() {
            let number = number(word.as_bytes());
            let mut slot = slot(number);
            while table.get(slot).is_some_and(|known| ![0, number].contains(&known.word)) {
                slot = (slot + 1) % SLOTS;
            }
            if let Some(known) = table.get_mut(slot) {
                known.word = number;
                if let Some(count) = known.all.get_mut(language) {
                    *count = 1;
                }
            }
        }
    }
    for known in &mut table {
        if known.all.iter().sum::<u8>() == 1 {
            known.telling = known.all;
        }
    }
    table
});

/// A word of [`WORD_MAX`] bytes at most as a number, without case.
fn number(word: &[u8]) -> u64 {
    let mut before = 0;
    word.iter().fold(0, |number, byte| {
        let is_capital = byte.is_ascii_uppercase() || before == 0xC3 && (0x80..0x9F).contains(byte);
        before = *byte;
        number << 8 | u64::from(if is_capital { byte | 0x20 } else { *byte })
    })
}

fn slot(number: u64) -> usize {
    usize::try_from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53).unwrap_or_default() % SLOTS
}

fn find(word: &[u8]) -> Option<&'static FunctionWord> {
    if word.is_empty() || word.len() > WORD_MAX {
        return None;
    }
    let number = number(word);
    let mut slot = slot(number);
    loop {
        let known = TABLE.get(slot)?;
        if known.word == number || known.word == 0 {
            return (known.word != 0).then_some(known);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// The number of function words of each language in a text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    all: PerLanguage,
    /// Words of one language only.
    telling: PerLanguage,
    /// All words that were read.
    words: usize,
}

impl Tally {
    /// Counts in a text.
    pub(super) fn of(text: &str) -> Self {
        let mut tally = Self::default();
        let mut counted = 0;
        // Byte by byte: Latin letters with accents begin with C3 to C9, and have one byte more.
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || (0xC3..=0xC9).contains(byte);
        let mut bytes = text.bytes().enumerate();
        let mut start = 0;
        let mut note = |word: &[u8]| {
            tally.words += usize::from(!word.is_empty());
            if let Some(known) = find(word).filter(|_| counted < COUNTED_MAX) {
                counted += 1;
                tally.add(known);
            }
        };
        while let Some((at, byte)) = bytes.next() {
            if byte >= 0xC3 && is_letter(&byte) {
                bytes.next();
            } else if !is_letter(&byte) {
                note(text.as_bytes().get(start..at).unwrap_or_default());
                start = at + 1;
            }
        }
        note(text.as_bytes().get(start..).unwrap_or_default());
        tally
    }

    fn add(&mut self, known: &FunctionWord) {
        self.all.iter_mut().zip(known.all).for_each(|(count, one)| *count += one);
        self.telling.iter_mut().zip(known.telling).for_each(|(count, one)| *count += one);
    }

    /// Returns the number of function words of a language.
    pub(super) fn count(&self, language: usize) -> u8 {
        self.all.get(language).copied().unwrap_or_default()
    }

    /// The language that several words speak for, and no other nearly as much.
    pub(super) fn clear(&self) -> Option<&'static str> {
        let (best, count) = self.best()?;
        let others = self.all.iter().enumerate().filter(|(language, _)| *language != best).map(|(_, count)| *count);
        let second = others.max().unwrap_or_default();
        let telling = self.telling.get(best).copied().unwrap_or_default();
        let tells_most = self.telling.iter().filter(|other| **other >= telling).count() == 1;
        let is_ahead = count >= second.saturating_add(2) && u16::from(count) * 4 >= u16::from(second) * 5;
        let is_clear = count >= CLEAR_MIN && telling >= TELLING_MIN && tells_most && is_ahead;
        is_clear.then(|| WORDS.get(best).map(|(code, _)| *code))?
    }

    /// Whether a language that is declared has words there, and no other has more.
    pub(super) fn agrees_with(&self, code: &str) -> bool {
        let Some(language) = WORDS.iter().position(|(known, _)| *known == code) else { return false };
        let telling = self.telling.get(language).copied().unwrap_or_default();
        let count = self.count(language);
        count >= AGREED_MIN && telling > 0 && self.best().is_some_and(|(_, most)| most <= count)
    }

    /// Whether nothing speaks against a language: no other language has many more of its words there. For one without a
    /// list: no language has more of them than it may have by chance.
    pub(super) fn may_be(&self, code: &str) -> bool {
        let most = self.best().map_or(0, |(_, most)| most);
        match WORDS.iter().position(|(known, _)| *known == code) {
            Some(language) => u16::from(self.count(language)) * 3 >= u16::from(most) * 2,
            None => usize::from(most) * CHANCE <= self.words,
        }
    }

    fn best(&self) -> Option<(usize, u8)> {
        self.all.iter().copied().enumerate().max_by_key(|(language, count)| (*count, std::cmp::Reverse(*language)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_known_to_its_languages() {
        for (language, (_, words)) in WORDS.iter().enumerate() {
            for word in words.split_whitespace().filter(|word| word.len() <= WORD_MAX) {
                assert_eq!(find(word.as_bytes()).unwrap().all[language], 1, "{word}");
            }
        }
        assert!(find(b"").is_none() && find(b"numerique").is_none() && find(b"xyz").is_none());
    }

    #[test]
    fn case_accents_and_apostrophes_are_read_as_in_words() {
        let count = |text| Tally::of(text).count(FRENCH);
        assert_eq!(count("L’UNE et l'Été à ÊTRE, dés «le»the"), 8);
        assert_eq!(count("aÀet lesé éles un_en"), 2);
    }
}
