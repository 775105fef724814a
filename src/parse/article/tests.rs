use super::*;

fn url() -> Url {
    Url::parse("https://ministere.example/actualites/partenariat").unwrap()
}

#[track_caller]
fn text(html: &str) -> String {
    html_to_text(&article(html.as_bytes(), Some("text/html; charset=utf-8"), &url()).unwrap())
}

/// Checks what the article of a page holds, and that it holds nothing else that is on the page.
#[track_caller]
fn check(html: &str, holds: &[&str], lacks: &[&str]) {
    let text = text(html);
    for words in holds {
        assert!(text.contains(words), "`{words}` is missing from: {text}");
    }
    for words in lacks {
        assert!(html.contains(words), "`{words}` is not even on the page");
        assert!(!text.contains(words), "`{words}` is in: {text}");
    }
}

/// An article of three paragraphs with something before and after it.
fn page(before: &str, after: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=fr><head><title>Un accord</title></head><body>{before}<h1>Un accord</h1>\
         <p>La ministre a signé, ce mardi, un accord de trois ans avec un constructeur de matériel, en présence des \
         recteurs et des élus, qui attendaient ce texte depuis deux ans.</p>\
         <p>Cinq cents établissements, dans douze départements, recevront de quoi relier leurs salles, et deux mille \
         enseignants suivront une formation, à distance d’abord, puis sur place.</p>\
         <p>Un comité, qui réunira l’État, les collectivités et le constructeur, rendra compte chaque année, devant le \
         Parlement, de ce qui aura été fait.</p>{after}</body></html>"
    )
}

const ARTICLE: &[&str] = &["La ministre a signé", "Cinq cents établissements", "Un comité"];

#[test]
fn a_ministrys_page_gives_its_article_and_nothing_of_what_surrounds_it() {
    let lacks = [
        "Se connecter",
        "Numérique éducatif",
        "école numérique",
        "Sur le même sujet",
        "Le plan numérique",
        "Des tablettes au collège",
        "collèges connectés",
        "laïcité",
        "harcèlement",
        "Laisser un commentaire",
        "Mentions légales",
        "témoins de connexion",
        "Partager",
    ];
    check(include_str!("ministry.html"), &["équipementier de réseaux", "cinq cents établissements", "comité"], &lacks);
}

#[test]
fn a_block_is_known_by_its_class_or_id() {
    for name in [
        "comments-area",
        "post-comments",
        "related-posts",
        "field_tags",
        "mots-cles",
        "bloc-lire-aussi",
        "social-share",
        "breadcrumb",
    ] {
        let block =
            format!("<div class='x {name}'><p>Une loi sur la laïcité, dit-on, viendra, un jour, bientôt.</p></div>");
        check(&page(&block, &block), ARTICLE, &["laïcité"]);
        check(&page("", &block.replace("class='x ", "id='")), ARTICLE, &["laïcité"]);
    }
}

#[test]
fn links_to_other_articles_are_known_by_the_words_before_them() {
    let links = "<ul><li><a href=/a>La laïcité à l’école</a></li><li><a href=/b>Le harcèlement</a></li></ul>";
    for heading in [
        "<h2>Sur le même sujet</h2>",
        "<h3>À lire aussi&nbsp;:</h3>",
        "<p><strong>Lire aussi</strong></p>",
        "<div><div><h4>Articles liés</h4></div></div>",
        "<h2>Dans la même rubrique</h2>",
    ] {
        check(&page("", &format!("{heading}{links}")), ARTICLE, &["laïcité", "harcèlement"]);
        check(&page("", &format!("<section>{heading}{links}</section>")), ARTICLE, &["laïcité", "harcèlement"]);
    }
    check(&page("", "<p>À lire aussi : <a href=/a>La laïcité à l’école</a></p>"), ARTICLE, &["laïcité"]);
    check(&page("", "<p>Mots-clés : <a href=/a>laïcité</a>, <a href=/b>école</a></p>"), ARTICLE, &["laïcité"]);
}

#[test]
fn a_thread_of_comments_is_known_by_its_heading() {
    let comment =
        "<div><p>Jean, le 3 mai : et la laïcité, alors, qui s’en occupe, dans ce pays, je vous le demande ?</p></div>";
    for heading in ["<h2>12 commentaires</h2>", "<h3>Commentaires (12)</h3>", "<div><h2>Vos réactions</h2></div>"] {
        check(&page("", &format!("{heading}{}", comment.repeat(40))), ARTICLE, &["laïcité"]);
    }
}

#[test]
fn an_article_about_comments_is_kept() {
    let page = page(
        "<p>3 commentaires</p>",
        "<h2>Les commentaires de la Cour</h2><p>La Cour, dans son avis, juge ce texte utile, mais tardif, et demande un bilan.</p>",
    );
    check(&page, &["La Cour, dans son avis", "Un comité"], &[]);
}

#[test]
fn what_a_theme_notes_on_the_whole_page_takes_nothing_away() {
    for class in ["comments-open", "single tag-numerique has-sidebar no-comments", "page-with-share"] {
        let page = page("", "").replace("<body>", &format!("<body class='{class}'><div class='{class}'>"));
        check(&page, ARTICLE, &[]);
    }
}

#[test]
fn links_and_pictures_become_absolute_and_scripts_go() {
    let after = "<p>Le détail, avec le calendrier, est <a href='../doc?a=1' onclick='x()'>ici</a>, au besoin.<img src=/i.png></p><script>alert(1)</script>";
    let html = article(page("", after).as_bytes(), None, &url()).unwrap();
    assert!(html.contains("href=\"https://ministere.example/doc?a=1\""), "{html}");
    assert!(html.contains("src=\"https://ministere.example/i.png\""), "{html}");
    assert!(!html.contains("onclick") && !html.contains("alert"), "{html}");
}

#[test]
fn a_page_may_name_its_charset_itself() {
    let html = page("", "").replace("<head>", "<head><meta charset=\"iso-8859-1\">");
    let bytes: Vec<u8> = html.replace('’', "'").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let article = article(&bytes, Some("text/html"), &url()).unwrap();
    assert!(article.contains("signé"), "{article}");
}

#[test]
fn what_is_no_page_and_what_holds_no_article_is_told() {
    let failure = |bytes: &[u8], media_type: &str| article(bytes, Some(media_type), &url()).unwrap_err().to_string();
    assert_eq!(failure(b"%PDF-1.7", "application/pdf"), "not a web page but application/pdf");
    assert_eq!(failure(b"", "text/html"), "no article found in the page");
    let consent = "<body><div class=cookie-consent>Nous utilisons des cookies</div><nav><a href=/>Accueil</a></nav>";
    assert_eq!(failure(consent.as_bytes(), "text/html"), "no article found in the page");
    assert_eq!(failure("<p>a".repeat(30_000).as_bytes(), "text/html"), "page has more than 20000 elements");
}

#[test]
fn no_page_costs_more_than_its_length() {
    let deep = ["<div>".repeat(100_000), "<b><i><u><p>x".repeat(1_000), "<table><tr><td>x".repeat(2_000)];
    let wide = [
        "<p>a</p>",
        "<a href=/>a</a> ",
        "<br>a",
        "<h2>Commentaires</h2><p>x</p>",
        "<p>À lire aussi",
        "<span>a, b</span>",
    ];
    for html in deep.into_iter().chain(wide.map(|part| part.repeat(3_000))) {
        let _ = article(html.as_bytes(), None, &url());
    }
}
