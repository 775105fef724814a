//! The languages that a guess can name: their codes and scripts, and those that are hard to tell apart.

use whatlang::Script;

/// A language: its BCP 47 subtag, other codes of it (ISO 639-2 and -3), the scripts that it is written in.
type LanguageRow = (&'static str, &'static [&'static str], &'static [&'static str]);

const LATIN: &[&str] = &["und-Latn"];
const CYRILLIC: &[&str] = &["und-Cyrl"];
const ARABIC: &[&str] = &["und-Arab"];
const DEVANAGARI: &[&str] = &["und-Deva"];
const BOTH: &[&str] = &["und-Latn", "und-Cyrl"];

const LANGUAGES: [LanguageRow; 75] = [
    ("fr", &["fra", "fre"], LATIN),
    ("en", &["eng"], LATIN),
    ("de", &["deu", "ger"], LATIN),
    ("es", &["spa"], LATIN),
    ("it", &["ita"], LATIN),
    ("pt", &["por"], LATIN),
    ("nl", &["nld", "dut"], LATIN),
    ("ca", &["cat"], LATIN),
    ("gl", &["glg"], LATIN),
    ("pl", &["pol"], LATIN),
    ("ro", &["ron", "rum", "mo"], BOTH),
    ("sv", &["swe"], LATIN),
    ("da", &["dan"], LATIN),
    ("nb", &["nob", "no", "nor", "nn", "nno"], LATIN),
    ("fi", &["fin"], LATIN),
    ("hu", &["hun"], LATIN),
    ("cs", &["ces", "cze"], LATIN),
    ("sk", &["slk", "slo"], LATIN),
    ("sl", &["slv"], LATIN),
    ("hr", &["hrv", "bs", "bos"], LATIN),
    ("sr", &["srp"], BOTH),
    ("lt", &["lit"], LATIN),
    ("lv", &["lav"], LATIN),
    ("et", &["est"], LATIN),
    ("tr", &["tur"], LATIN),
    ("az", &["aze"], &["und-Latn", "und-Cyrl", "und-Arab"]),
    ("uz", &["uzb"], BOTH),
    ("tk", &["tuk"], BOTH),
    ("vi", &["vie"], LATIN),
    ("id", &["ind", "ms", "msa", "may"], LATIN),
    ("jv", &["jav"], LATIN),
    ("tl", &["tgl", "fil"], LATIN),
    ("af", &["afr"], LATIN),
    ("cy", &["cym", "wel"], LATIN),
    ("eo", &["epo"], LATIN),
    ("la", &["lat"], LATIN),
    ("ak", &["aka", "tw", "twi"], LATIN),
    ("zu", &["zul"], LATIN),
    ("sn", &["sna"], LATIN),
    ("ru", &["rus"], CYRILLIC),
    ("uk", &["ukr"], CYRILLIC),
    ("be", &["bel"], BOTH),
    ("bg", &["bul"], CYRILLIC),
    ("mk", &["mkd", "mac"], CYRILLIC),
    ("kk", &["kaz"], BOTH),
    ("ky", &["kir"], CYRILLIC),
    ("mn", &["mon"], CYRILLIC),
    ("tg", &["tgk"], CYRILLIC),
    ("el", &["ell", "gre"], &["und-Grek"]),
    ("ar", &["ara"], ARABIC),
    ("fa", &["pes", "fas", "per", "prs"], ARABIC),
    ("ur", &["urd"], ARABIC),
    ("ps", &["pus"], ARABIC),
    ("he", &["heb", "iw"], &["und-Hebr"]),
    ("yi", &["yid"], &["und-Hebr"]),
    ("hi", &["hin"], DEVANAGARI),
    ("mr", &["mar"], DEVANAGARI),
    ("ne", &["nep"], DEVANAGARI),
    ("zh", &["cmn", "zho", "chi", "yue"], &["und-Hani"]),
    ("ja", &["jpn"], &["und-Hani", "und-Kana"]),
    ("ko", &["kor"], &["und-Hang"]),
    ("th", &["tha"], &["und-Thai"]),
    ("km", &["khm"], &["und-Khmr"]),
    ("my", &["mya", "bur"], &["und-Mymr"]),
    ("bn", &["ben"], &["und-Beng"]),
    ("gu", &["guj"], &["und-Gujr"]),
    ("pa", &["pan"], &["und-Guru"]),
    ("or", &["ori"], &["und-Orya"]),
    ("ta", &["tam"], &["und-Taml"]),
    ("te", &["tel"], &["und-Telu"]),
    ("kn", &["kan"], &["und-Knda"]),
    ("ml", &["mal"], &["und-Mlym"]),
    ("si", &["sin"], &["und-Sinh"]),
    ("ka", &["kat", "geo"], &["und-Geor"]),
    ("hy", &["hye", "arm"], &["und-Armn"]),
];

/// Languages that trigrams take for each other.
const NEAR: [&[&str]; 9] = [
    &["da", "nb", "sv"],
    &["es", "gl", "ca"],
    &["pt", "gl"],
    &["cs", "sk"],
    &["hr", "sr", "sl", "mk"],
    &["mk", "bg"],
    &["ru", "uk", "be"],
    &["nl", "af"],
    &["id", "jv"],
];

/// Returns the subtag of a language that a guess can name, given by its tag; `None` if none ever does.
pub(super) fn canonical(tag: &str) -> Option<&'static str> {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    let is = |code: &str| code.eq_ignore_ascii_case(primary);
    LANGUAGES.iter().find(|(code, others, _)| is(code) || others.iter().any(|other| is(other))).map(|(code, ..)| *code)
}

/// The languages that are written in a script.
pub(super) fn languages_of(script: &str) -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().filter(move |(.., scripts)| scripts.contains(&script)).map(|(code, ..)| *code)
}

/// Whether two languages are hard to tell apart.
pub(super) fn near(one: &str, other: &str) -> bool {
    NEAR.iter().any(|group| group.contains(&one) && group.contains(&other))
}

/// `und-` and the ISO 15924 code of a script.
pub(super) fn code_of(script: Script) -> &'static str {
    match script {
        Script::Arabic => "und-Arab",
        Script::Armenian => "und-Armn",
        Script::Bengali => "und-Beng",
        Script::Cyrillic => "und-Cyrl",
        Script::Devanagari => "und-Deva",
        Script::Ethiopic => "und-Ethi",
        Script::Georgian => "und-Geor",
        Script::Greek => "und-Grek",
        Script::Gujarati => "und-Gujr",
        Script::Gurmukhi => "und-Guru",
        Script::Hangul => "und-Hang",
        Script::Hebrew => "und-Hebr",
        Script::Hiragana | Script::Katakana => "und-Kana",
        Script::Kannada => "und-Knda",
        Script::Khmer => "und-Khmr",
        Script::Latin => "und-Latn",
        Script::Malayalam => "und-Mlym",
        Script::Mandarin => "und-Hani",
        Script::Myanmar => "und-Mymr",
        Script::Oriya => "und-Orya",
        Script::Sinhala => "und-Sinh",
        Script::Tamil => "und-Taml",
        Script::Telugu => "und-Telu",
        Script::Thai => "und-Thai",
    }
}
