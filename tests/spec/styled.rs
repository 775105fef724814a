//! A style of the operator's own.

use std::fs;

use crate::origin::document;
use crate::world::{World, item, rss, stderr};

fn world(css: &str) -> World {
    let world = World::new().feed("education", [document(rss(&[item("a", "École numérique", "Texte", &[])]))]);
    fs::write(world.folder.path().join("own.css"), css).unwrap();
    world.with("[publish]\nstylesheet = \"own.css\"")
}

#[test]
fn a_style_sheet_takes_the_place_of_ours() {
    let css = ":root { color-scheme: light }\nbody { font: 1rem serif }\n";
    let world = world(css);
    let daemon = world.run();
    let (head, body) = daemon.get("/style.css", "");
    assert_eq!(body, css);
    assert!(head.contains("content-type: text/css"), "{head}");
    assert_eq!(fs::read_to_string(world.published("style.css")).unwrap(), css);
}

#[test]
fn a_style_sheet_that_cannot_be_used_is_told_with_its_place() {
    for (css, told) in [
        ("a { background: url(https://a.example/1.png) }", "line 1 of the style sheet"),
        ("\n@import 'https://a.example/a.css';", "line 2 of the style sheet"),
        (&*"a{}".repeat(300_000), "larger than 512 KiB"),
    ] {
        let output = world(css).veille(&["check"]);
        let error = stderr(&output);
        assert!(output.status.code() == Some(2) && error.contains(told) && error.contains("config.toml:"), "{error}");
    }
    let missing = world("");
    fs::remove_file(missing.folder.path().join("own.css")).unwrap();
    let error = stderr(&missing.veille(&["run"]));
    assert!(error.contains("own.css` cannot be read") && error.contains("stylesheet"), "{error}");
}

#[test]
fn a_reload_takes_a_changed_style_over_and_a_wrong_one_changes_nothing() {
    let world = world("a { color: red }");
    let mut daemon = world.run();
    daemon.until("/style.css", |css| css.contains("red"));
    let file = world.folder.path().join("own.css");
    fs::write(&file, "a { color: blue }").unwrap();
    daemon.signal("HUP");
    daemon.until("/style.css", |css| css.contains("blue"));
    fs::write(&file, "@import 'x';").unwrap();
    daemon.signal("HUP");
    daemon.hears("the config has mistakes");
    assert!(daemon.get("/style.css", "").1.contains("blue"));
    assert!(daemon.get("/healthz", "").1.contains("style sheet"));
}
