//! A search finds on every backend what it finds in `SQLite`.

use super::*;

/// Texts in languages that fold in different ways, and texts at the limits of an index.
fn texts() -> Vec<(&'static str, String)> {
    let numbered = |range: std::ops::Range<u32>| range.map(|number| format!("mot{number} ")).collect::<String>();
    vec![
        ("fr", "L’école numérique d’aujourd’hui et les écoles de demain".into()),
        ("fr", "Œuvres et cœurs : la main-d’œuvre s'en va-t-en guerre".into()),
        ("fr", "Les député·e·s votent le budget 2027, à 50 % près (n° 12)".into()),
        ("de", "Straßenbahnen für Groß und Klein, Übergrößen und Fußgänger".into()),
        ("en", "Children's schools and open-data policies: the TAX returns".into()),
        ("ja", "東京都庁は日本語のニュースを発表した".into()),
        ("zh", "北京大学的学生学习数据科学".into()),
        ("el", "Τα νέα της Αθήνας σήμερα".into()),
        ("ru", "Новости Йошкар-Олы и всей России".into()),
        ("tr", "İstanbul’da ışıklar, Iğdır’da kar".into()),
        ("ar", "أخبار المدرسة الرقمية".into()),
        ("vi", "Tiếng Việt và trường học số".into()),
        ("fr", format!("{} une phrase finale", numbered(0..40_000))),
        ("fr", format!("{}aiguille dans la botte", "de la ".repeat(9_000))),
        ("fr", format!("{} suivi de rien", "a".repeat(5_000))),
        ("fr", "C++ et C# ne sont pas .NET; l'e-mail l@b, l’IA".into()),
    ]
}

const QUERIES: [&str; 48] = [
    "ecole",
    "écoles",
    "École",
    "\"école numérique\"",
    "\"numérique école\"",
    "aujourd'hui",
    "aujourd’hui demain",
    "oeuvre",
    "œuvres",
    "main-d'œuvre",
    "\"main d'oeuvre\"",
    "maindoeuvre",
    "députées",
    "députés",
    "député",
    "2027",
    "50",
    "\"n 12\"",
    "strasse",
    "Straße",
    "straßenbahn",
    "gross",
    "GRÖSSE",
    "fuss",
    "children",
    "childrens",
    "school",
    "\"open data\"",
    "opendata",
    "open-data policy",
    "東京",
    "日本語",
    "ニュース",
    "大学",
    "数据",
    "Αθηνας",
    "νεα",
    "новости",
    "йошкар",
    "иошкар",
    "istanbul",
    "ışık",
    "المدرسة",
    "truong",
    "mot7 mot39999",
    "\"phrase finale\"",
    "\"de la aiguille\" botte",
    "c",
];

#[test]
fn a_search_finds_on_every_backend_what_it_finds_in_a_file() {
    check(|store| {
        let folder = tempfile::tempdir().unwrap();
        let mut file = Sqlite::open(&folder.path().join("veille.db")).unwrap();
        for (number, (language, text)) in (1..).zip(texts()) {
            let mut entry = numbered(number, prepared("a"));
            entry.entry.language = Some(language.into());
            // The first words are also a title.
            entry.entry.title = Some(text.split(' ').take(3).collect::<Vec<_>>().join(" "));
            entry.entry.summary = None;
            entry.entry.content = Some(format!("<p>{text}</p>"));
            for store in [&mut *store, &mut file] {
                apply(store, &[insertion(number, "education", number, &entry, noon())]);
            }
        }
        let long = "a".repeat(5_000);
        let mut found_any = 0;
        for query in QUERIES.into_iter().chain([long.as_str()]) {
            let search = |store: &mut dyn Store| {
                let filter = Filter { search: Some(query.into()), limit: 99, ..Filter::default() };
                numbers(&store.entries(&filter).unwrap())
            };
            let expected = search(&mut file);
            found_any += usize::from(!expected.is_empty());
            assert_eq!(search(store), expected, "{query}");
        }
        assert!(found_any > 30, "only {found_any} queries find anything");
    });
}
