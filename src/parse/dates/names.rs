//! Names of months, weekdays and parts of a day in the languages of Europe, and the commonest beyond.
//!
//! A name is known by how it begins: `févr.`, `fevereiro` and `Feb` are February.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::Weekday;

use crate::text::fold;

/// The beginnings of the names of months, January first; `=` after a name that stands for the whole word.
const MONTHS: [&str; 12] = [
    "jan ene gen ian янв січ ιαν oca sty led tammi يناير ינואר",
    "fev feb lut úno фев лют φεβ şub helmi فبراير פברואר",
    "mar mrz mrt maart maalis bře мар берез μαρ مارس מרץ",
    "avr apr abr kwi dub апр квіт απρ nis huhti أبريل אפריל",
    "mai may mag maj mei kvě май мая трав μαι touko مايو מאי",
    "juin jun giu iun cze čvn červen= červn июн черв ιουν haz kesä يونيو יוני",
    "juil jul lug iul lip čvc července červenec июл лип ιουλ tem heinä يوليو יולי",
    "aou ago aug ag= sie srp авг серп αυγ ağu elo أغسطس אוגוסט",
    "sep set szep wrz zář сен верес σεπ eyl syys سبتمبر ספטמבר",
    "oct okt out ott paź říj окт жовт οκτ eki loka أكتوبر אוקטובר",
    "nov noi lis ноя νοε kas marras نوفمبر נובמבר",
    "dec dez dic des gru pro= pros дек груд δεκ ara joulu ديسمبر דצמבר",
];

/// The beginnings of the names of weekdays, Monday first, as in [`MONTHS`].
const WEEKDAYS: [&str; 7] = [
    "mon lun mo= ma= maandag man pon seg dilluns dl= hétf пон пн= δευ pzt pazartesi",
    "tue mar mardi martes martedi marti di= dien din tir tis ti= ter dimarts dt= wto wt= kedd вто вівт вт= τρι sal",
    "wed mer mie mi= mitt woe wo= ons qua dimecres dc= śr= środ szerda ke= сре ср= τετ çar",
    "thu jeu jue gio joi do= don to= tors qui dijous dj= czw čt= csüt чет чт= πεμ perş",
    "fri ven vie vin vr= vrij fr= fre sex divendres dv= pią pt= pén pe= пят пт= παρ cum",
    "sat sam sab sa= zat za= lör lør dissabte sob szomb la= суб сб= σαβ cmt cumart",
    "sun dim dom dum so= zon zo= sonn sön søn su= diumenge dg= nie vasár вос нед вс= κυρ paz pazar",
];

/// The month or weekday that a word names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct MonthOrDay {
    /// From 1.
    pub(super) month: Option<u32>,
    /// Beside a month only where the word can be both: `mar` is March or Tuesday.
    pub(super) weekday: Option<Weekday>,
}

/// Beginnings of names, folded, with whether the word must end there.
static NAMES: LazyLock<HashMap<String, (MonthOrDay, bool)>> = LazyLock::new(|| {
    let mut names: HashMap<String, (MonthOrDay, bool)> = HashMap::new();
    let mut add = |list: &str, note: &dyn Fn(&mut MonthOrDay)| {
        for name in list.split(' ') {
            let (start, is_whole) = name.strip_suffix('=').map_or((name, false), |start| (start, true));
            let (named, whole) = names.entry(fold(start).into_owned()).or_default();
            note(named);
            *whole = is_whole;
        }
    };
    for (month, list) in (1..).zip(MONTHS) {
        add(list, &|named| named.month = Some(month));
    }
    for (day, list) in (0..).zip(WEEKDAYS) {
        add(list, &|named| named.weekday = Weekday::try_from(day).ok());
    }
    names
});

/// Returns the month or weekday that a folded word names; of two beginnings the longer one counts.
pub(super) fn month_or_day(word: &str) -> Option<MonthOrDay> {
    let ends = word.char_indices().map(|(at, character)| at + character.len_utf8()).take(12);
    let found = ends.filter_map(|end| {
        let (named, is_whole) = NAMES.get(word.get(..end)?)?;
        (!is_whole || end == word.len()).then_some(*named)
    });
    found.last()
}

/// A part of a day that a word names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartOfDay {
    Morning,
    Afternoon,
    Noon,
    Midnight,
}

/// Returns the part of a day that a folded word names; `am` and `pm` are for the caller, since they are words, too.
pub(super) fn part_of_day(word: &str) -> Option<PartOfDay> {
    Some(match word {
        "noon" | "midday" | "midi" | "mittag" | "mittags" | "mediodia" | "mezzogiorno" => PartOfDay::Noon,
        "midnight" | "minuit" | "mitternacht" | "medianoche" | "mezzanotte" => PartOfDay::Midnight,
        "πμ" => PartOfDay::Morning,
        "μμ" => PartOfDay::Afternoon,
        // Written without blanks, they may end a longer word.
        _ if ends_in(word, ["上午", "午前", "오전"]) => PartOfDay::Morning,
        _ if ends_in(word, ["下午", "午後", "오후"]) => PartOfDay::Afternoon,
        _ => return None,
    })
}

fn ends_in(word: &str, endings: [&str; 3]) -> bool {
    !word.is_ascii() && endings.iter().any(|ending| word.ends_with(&*fold(ending)))
}

fn is_korean(word: &str, name: &str) -> bool {
    !word.is_ascii() && word == &*fold(name)
}

/// Whether hours stand before this folded word, and minutes may follow it.
pub(super) fn is_hour(word: &str) -> bool {
    matches!(word, "h" | "uhr" | "heure" | "heures" | "時" | "时" | "点" | "點" | "ч") || is_korean(word, "시")
}

/// Whether minutes stand before this folded word.
pub(super) fn is_minute(word: &str) -> bool {
    matches!(word, "min" | "m" | "分" | "мин") || is_korean(word, "분")
}

/// Whether seconds stand before this folded word.
pub(super) fn is_second(word: &str) -> bool {
    matches!(word, "s" | "sec" | "秒") || is_korean(word, "초")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, month: Option<u32>, weekday: Option<Weekday>) {
        for word in words.split(' ') {
            assert_eq!(month_or_day(&fold(word)).unwrap_or_default(), MonthOrDay { month, weekday }, "{word}");
        }
    }

    #[test]
    fn months_are_known_in_many_languages() {
        check("janvier Jänner enero gennaio января січня Ιανουαρίου Ocak tammikuu", Some(1), None);
        check("février Februar fevereiro febrero luty únor февраля Şubat helmikuu", Some(2), None);
        check("Mrz maart марта", Some(3), None);
        check("mars März marzo", Some(3), Some(Weekday::Tue));
    }

    #[test]
    fn a_longer_beginning_counts_more() {
        check("maandag", None, Some(Weekday::Mon));
        check("maart", Some(3), None);
        check("martes mardi", None, Some(Weekday::Tue));
        check("červen června", Some(6), None);
        check("červenec července", Some(7), None);
        check("cumartesi", None, Some(Weekday::Sat));
    }

    #[test]
    fn short_names_are_whole_words() {
        check("Mi Mittwoch mercredi woensdag", None, Some(Weekday::Wed));
        check("Do", None, Some(Weekday::Thu));
        check("dort minor sort", None, None);
    }
}
