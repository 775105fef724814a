//! Whose text it is, and what files and pictures come with an entry.

use super::*;

#[test]
fn files_have_a_type_and_entries_a_picture() {
    let kind = |fields: &str| item(fields).enclosures[0].media_type.clone().unwrap_or_default();
    assert_eq!(kind("<media:content url='/a.webp' medium='image'/>"), "image/webp");
    assert_eq!(kind("<media:content url='/a?f=jpg' medium='image'/>"), "image/jpeg");
    assert_eq!(kind("<media:content url='/a.png' type='image'/>"), "image/png");
    assert_eq!(kind("<media:content url='/a.mp3' type='audio/x' medium='audio'/>"), "audio/x");
    assert_eq!(kind("<media:content url='/a' medium='video'/>"), "video/mp4");
    assert_eq!(kind("<enclosure url='/a.m4a'/>"), "audio/m4a");
    assert_eq!(kind("<media:content url='/a.html' medium='document'/>"), "");
    let image = |fields: &str| item(fields).image.map(|image| String::from(image.url)).unwrap_or_default();
    let small = "<media:thumbnail url='/s.jpg' width='75'/>";
    assert_eq!(
        image(&format!("{small}<media:group><media:thumbnail url='/l.jpg' width='640'/></media:group>")),
        "https://site.example/l.jpg"
    );
    assert_eq!(image(&format!("<enclosure url='/e.png' type='image/png'/>{small}")), "https://site.example/s.jpg");
    assert_eq!(image("<enclosure url='/e.png' type='image/png'/>"), "https://site.example/e.png");
    assert_eq!(image("<image><title>x</title><url>/i.png</url></image>"), "https://site.example/i.png");
    assert_eq!(image("<enclosure url='/e.mp3' type='audio/mpeg'/>"), "");
    let forms = "<media:content url='/s.jpg' medium='image' width='90'/><media:content url='/l.jpg' medium='image' width='900'/>";
    assert_eq!(image(&format!("<media:group>{forms}</media:group>")), "https://site.example/l.jpg");
    assert_eq!(image(forms), "https://site.example/s.jpg");
    let json = r#"{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","banner_image":"https://b.example/b.png"}]}"#;
    check(only(feed(json)).image.map(|image| image.url), "https://b.example/b.png");
}

#[test]
fn a_picture_comes_with_its_description_and_size() {
    let image = |fields: &str| item(fields).image.unwrap();
    let said = |alt: &str, width, height| (Some(alt.to_owned()), width, height);
    let shown = |Image { alt, width, height, .. }: Image| (alt, width, height);
    let caption = "<media:description>Devant un lycée</media:description>";
    for field in [
        format!("<media:thumbnail url='/t.jpg' width='640' height='360'>{caption}</media:thumbnail>"),
        format!("<media:content url='/t.jpg' type='image/jpeg' width='640' height='360'>{caption}</media:content>"),
    ] {
        assert_eq!(shown(image(&field)), said("Devant un lycée", Some(640), Some(360)));
    }
    let both = format!(
        "<media:content url='/t.jpg' medium='image'>{caption}</media:content><media:thumbnail url='/t.jpg' width='64'/>"
    );
    assert_eq!(shown(image(&both)), said("Devant un lycée", Some(64), None));
    assert_eq!(shown(image("<media:thumbnail url='/t.jpg' width='0' height='auto'/>")), (None, None, None));
}

#[test]
fn a_film_without_other_text_is_told_by_its_own() {
    let entry = item(
        "<media:group><media:title>A</media:title><media:description>D</media:description><media:content url='https://v.example/v.mp4' type='video/mp4' fileSize='9'/></media:group>",
    );
    check(entry.title, "A");
    check(entry.summary, "D");
    assert_eq!(entry.enclosures[0].length, Some(9));
    check(entry.enclosures[0].title.clone(), "A");
}

#[test]
fn text_inside_a_medium_speaks_of_that_medium() {
    let caption =
        "<media:title>Lille</media:title><media:description type='plain'>Devant un lycée.</media:description>";
    for medium in [
        format!("<media:content url='/1.jpg'>{caption}</media:content>"),
        format!("<media:content url='/1' medium='image' type='image/jpeg'>{caption}</media:content>"),
        format!("<media:group>{caption}<media:content url='/1.jpg' medium='image'/></media:group>"),
        format!("<media:group><media:content url='/1.jpg'>{caption}</media:content></media:group>"),
        format!(
            "<enclosure url='/1.jpg' type='image/jpeg' length='3'/><media:content url='/1.jpg'>{caption}</media:content>"
        ),
    ] {
        for text in ["<description>Le vrai résumé.</description>", "<dc:description>Le vrai résumé.</dc:description>"]
        {
            for fields in [format!("{medium}{text}"), format!("{text}{medium}")] {
                let entry = item(&format!("<link>/a</link>{fields}"));
                check(entry.summary, "Le vrai résumé.");
                check(entry.content, "");
                check(entry.title, "");
                check(entry.enclosures[0].title.clone(), "Devant un lycée.");
                check(entry.enclosures[0].media_type.clone(), "image/jpeg");
                assert_eq!(entry.enclosures.len(), 1, "{medium}");
            }
        }
        let entry = item(&medium);
        check(entry.summary, "");
        check(entry.title, "");
    }
    let thumbnail = format!("<media:thumbnail url='/1.jpg'>{caption}</media:thumbnail><description>R</description>");
    check(item(&thumbnail).summary, "R");
    check(item(&thumbnail).content, "");
    let item_level =
        item(&format!("<title>T</title>{caption}<description>R</description><media:content url='/1.jpg'/>"));
    check(item_level.title, "T");
    check(item_level.summary, "R");
    check(item_level.content, "");
    check(item_level.enclosures[0].title.clone(), "Devant un lycée.");
}

#[test]
fn the_content_is_the_fullest_telling() {
    let long = "Au sommaire : la rentrée, la cantine, le numérique, puis vos questions.";
    let with_itunes = |fields: &str| {
        only(feed(&format!(
            "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><item>{fields}</item></channel></rss>"
        )))
    };
    for fields in [
        format!("<description>&lt;p&gt;{long}&lt;/p&gt;</description><itunes:summary>Court</itunes:summary>"),
        format!("<itunes:summary>Court</itunes:summary><description>&lt;p&gt;{long}&lt;/p&gt;</description>"),
        format!(
            "<description>Court</description><content:encoded>&lt;p&gt;{long}&lt;/p&gt;</content:encoded><itunes:summary>Autre</itunes:summary>"
        ),
        format!("<description>&lt;p&gt;{long}&lt;/p&gt;</description><content:encoded>Court</content:encoded>"),
    ] {
        let entry = with_itunes(&fields);
        check(entry.summary, "Court");
        check(entry.content, &format!("<p>{long}</p>"));
    }
    let entry = with_itunes(&format!("<description>Court</description><itunes:summary>{long}</itunes:summary>"));
    check(entry.summary, "Court");
    check(entry.content, long);
    let entry = with_itunes("<description>&lt;p&gt;Un&lt;/p&gt;</description><itunes:summary>Un</itunes:summary>");
    check(entry.summary, "<p>Un</p>");
    check(entry.content, "");
}
