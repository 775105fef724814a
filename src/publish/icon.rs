//! Icons of the site and of topics: an initial on a colour, as SVG for browsers, and as PNG for readers.
//!
//! Letters are drawn by strokes of our own, so that both look the same everywhere: no font is asked for. The colour comes
//! from the id, the initial from the title: neither changes with what is published.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use crate::publish::{Edition, Format, Representation, legal, page};
use crate::text;
use crate::topic::Topic;

/// Letters and figures: strokes parted by blanks, each a row of points, each point two figures: from the left, 0 to 6, and
/// from the top, 0 to 8.
const GLYPHS: [(char, &str); 36] = [
    ('a', "083068 1555"),
    ('b', "0008 004051534404 045465675808"),
    ('c', "6150100107185867"),
    ('d', "0008 004062664808"),
    ('e', "60000868 0454"),
    ('f', "600008 0454"),
    ('g', "61501001071858676444"),
    ('h', "0008 6068 0464"),
    ('i', "3038 1050 1858"),
    ('j', "5057481807"),
    ('k', "0008 600468"),
    ('l', "000868"),
    ('m', "0800346068"),
    ('n', "08006860"),
    ('o', "105061675818070110"),
    ('p', "08005061645505"),
    ('q', "105061675818070110 4668"),
    ('r', "08005061645505 3568"),
    ('s', "615010010314546567581807"),
    ('t', "0060 3038"),
    ('u', "000718586760"),
    ('v', "003860"),
    ('w', "0018335860"),
    ('x', "0068 6008"),
    ('y', "003460 3438"),
    ('z', "00600868"),
    ('0', "105061675818070110"),
    ('1', "123038 1858"),
    ('2', "01105061630868"),
    ('3', "01105061635424 546567581807"),
    ('4', "48400565"),
    ('5', "600003536467581807"),
    ('6', "6150100107185867655404"),
    ('7', "006028"),
    ('8', "105061635414030110 5465675818070514"),
    ('9', "0718586761501001031464"),
];

/// Dark colours, on which white is read easily (WCAG: 5 to 1 at least).
const COLOURS: [[u8; 3]; 12] = [
    [0x0b, 0x4f, 0xa8],
    [0x8a, 0x1c, 0x4a],
    [0x1b, 0x6b, 0x3a],
    [0x6a, 0x3d, 0x9a],
    [0x9a, 0x3b, 0x12],
    [0x0f, 0x66, 0x74],
    [0x7a, 0x4b, 0x00],
    [0xb0, 0x24, 0x3a],
    [0x3d, 0x5a, 0x1e],
    [0x4a, 0x4f, 0x9c],
    [0x6b, 0x2f, 0x6b],
    [0x37, 0x47, 0x4f],
];

/// Size of a letter in an icon, as a part of its height.
const LETTER: f32 = 0.5;
/// Width of a stroke in points of the letter.
const STROKE: f32 = 1.2;
/// Shades between colour and white: as many as four bits tell.
const SHADES: u8 = 16;

/// An initial on a colour.
#[derive(Debug)]
struct Icon {
    strokes: &'static str,
    colour: [u8; 3],
}

/// Returns where the icons of a topic are found, in the order of [`topic_icons`].
#[must_use]
pub fn icon_paths(id: &str) -> [String; 4] {
    ["icon.svg", "icon.png", "icon-512.png", "logo.png"].map(|name| format!("/{id}/{name}"))
}

/// Returns where the icons of the site are found, in the order of [`site_icons`].
#[must_use]
pub fn site_icon_paths() -> [&'static str; 3] {
    ["/icon.svg", "/icon.png", "/favicon.ico"]
}

/// Draws the icons of a topic: for browsers, for lists of feeds (no wider than RSS allows), large, and twice as wide as high
/// (RFC 4287 §4.2.8).
pub fn topic_icons(topic: &Topic) -> impl Iterator<Item = Representation> + use<> {
    let icon = Icon::new(&topic.title, &topic.id);
    let documents = [
        (Format::Svg, icon.svg()),
        (Format::Png, icon.png(144, 144)),
        (Format::Png, icon.png(512, 512)),
        (Format::Png, icon.png(512, 256)),
    ];
    let paths = icon_paths(&topic.id).into_iter();
    paths.zip(documents).map(|(path, (format, bytes))| Representation::new(path, format, bytes))
}

/// Draws the icons of the site.
pub fn site_icons(edition: &Edition<'_>) -> impl Iterator<Item = Representation> + use<> {
    let title = page::site_title(edition);
    let icon = Icon::new(&title, &title);
    let documents =
        [(Format::Svg, icon.svg()), (Format::Png, icon.png(144, 144)), (Format::Ico, ico(&icon.png(48, 48)))];
    let paths = site_icon_paths().map(str::to_owned).into_iter();
    paths.zip(documents).map(|(path, (format, bytes))| Representation::new(path, format, bytes))
}

impl Icon {
    /// An icon with the first letter of a title that we can draw, else of the id.
    fn new(title: &str, id: &str) -> Self {
        let title = legal::readable_line(title).unwrap_or_default();
        let text = text::Levelled::new(&title);
        let word = text.tokens().first().map(|token| text::fold(token.word).into_owned()).unwrap_or_default();
        let glyph = |c: char| GLYPHS.iter().find(|(known, _)| *known == c).map(|(_, strokes)| *strokes);
        let initial = word.chars().next().and_then(glyph);
        let strokes = initial.or_else(|| text::fold(id).chars().find_map(glyph)).unwrap_or("3434");
        let hash = xxhash_rust::xxh3::xxh3_64(id.as_bytes());
        let place = usize::try_from(hash % COLOURS.len() as u64).unwrap_or_default();
        Self { strokes, colour: COLOURS.get(place).copied().unwrap_or_default() }
    }

    /// Its strokes in points of the letter.
    fn lines(&self) -> impl Iterator<Item = Vec<(f32, f32)>> {
        let figure = |c: char| c.to_digit(10).map_or(0.0, |figure| f32::from(u8::try_from(figure).unwrap_or_default()));
        self.strokes.split(' ').map(move |stroke| {
            let figures: Vec<f32> = stroke.chars().map(figure).collect();
            figures.chunks_exact(2).filter_map(|point| Some((*point.first()?, *point.last()?))).collect()
        })
    }

    fn svg(&self) -> Vec<u8> {
        let [red, green, blue] = self.colour;
        let line = |points: Vec<(f32, f32)>| {
            let points = points.into_iter().map(|(x, y)| format!("{} {}", x + 5.0, y + 4.0));
            format!("M{}", points.collect::<Vec<_>>().join("L"))
        };
        let path: String = self.lines().map(line).collect();
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" rx=\"3\" \
             fill=\"#{red:02x}{green:02x}{blue:02x}\"/><path d=\"{path}\" fill=\"none\" stroke=\"#fff\" \
             stroke-width=\"{STROKE}\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/></svg>\n"
        );
        svg.into_bytes()
    }

    /// Draws it in the middle of a rectangle (PNG, third edition).
    fn png(&self, width: u16, height: u16) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        let size = [u32::from(width).to_be_bytes(), u32::from(height).to_be_bytes()].concat();
        // Four bits a pixel, by a palette.
        chunk(&mut png, *b"IHDR", &[size.as_slice(), &[4, 3, 0, 0, 0]].concat());
        let shade = |share: u8| {
            self.colour.map(|colour| {
                let white = u16::from(255 - colour) * u16::from(share) / u16::from(SHADES - 1);
                colour.saturating_add(u8::try_from(white).unwrap_or(u8::MAX))
            })
        };
        chunk(&mut png, *b"PLTE", &(0..SHADES).flat_map(shade).collect::<Vec<u8>>());
        let mut rows = Vec::new();
        for row in self.shades(width, height).chunks(usize::from(width)) {
            rows.push(0); // without a filter
            rows.extend(row.chunks(2).map(|pair| {
                (pair.first().copied().unwrap_or_default() << 4) | pair.get(1).copied().unwrap_or_default()
            }));
        }
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::new(6));
        // Memory takes every byte.
        let packed = packed.write_all(&rows).and_then(|()| packed.finish()).unwrap_or_default();
        chunk(&mut png, *b"IDAT", &packed);
        chunk(&mut png, *b"IEND", &[]);
        png
    }

    /// The shade of each pixel: how much of it a stroke covers.
    fn shades(&self, width: u16, height: u16) -> Vec<u8> {
        let (across, down) = (usize::from(width), usize::from(height));
        let mut shades = vec![0; across * down];
        let point = f32::from(height) * LETTER / 8.0;
        let (left, top) = (f32::from(width) / 2.0 - 3.0 * point, f32::from(height) / 2.0 - 4.0 * point);
        let radius = STROKE * point / 2.0;
        for line in self.lines() {
            let placed: Vec<(f32, f32)> = line.into_iter().map(|(x, y)| (left + x * point, top + y * point)).collect();
            for (from, to) in placed.iter().zip(placed.iter().skip(1)) {
                for y in pixels(from.1.min(to.1) - radius, from.1.max(to.1) + radius, height) {
                    for x in pixels(from.0.min(to.0) - radius, from.0.max(to.0) + radius, width) {
                        let distance = distance((f32::from(x) + 0.5, f32::from(y) + 0.5), *from, *to);
                        let covered = (radius - distance + 0.5).clamp(0.0, 1.0);
                        if let Some(shade) = shades.get_mut(usize::from(y) * across + usize::from(x)) {
                            *shade = (*shade).max(shade_of(covered));
                        }
                    }
                }
            }
        }
        shades
    }
}

/// The pixels of a row or column from one place to another.
fn pixels(from: f32, to: f32, end: u16) -> std::ops::Range<u16> {
    whole(from.min(f32::from(end)))..whole(to.min(f32::from(end) - 1.0)) + 1
}

fn shade_of(covered: f32) -> u8 {
    u8::try_from(whole(covered * f32::from(SHADES - 1))).unwrap_or_default()
}

/// The whole part of a number; 0 of one below.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels and shades, cut to their range")]
fn whole(number: f32) -> u16 {
    number.clamp(0.0, 65_534.0) as u16
}

/// The distance of a point from a line between two others.
fn distance(point: (f32, f32), from: (f32, f32), to: (f32, f32)) -> f32 {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    let length = x * x + y * y;
    let along = ((point.0 - from.0) * x + (point.1 - from.1) * y) / if length > 0.0 { length } else { 1.0 };
    let along = along.clamp(0.0, 1.0);
    (point.0 - from.0 - along * x).hypot(point.1 - from.1 - along * y)
}

/// Appends a chunk: length, name, data, check sum (PNG §5.3).
fn chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(data);
    png.extend_from_slice(&u32::try_from(data.len()).unwrap_or_default().to_be_bytes());
    png.extend_from_slice(&name);
    png.extend_from_slice(data);
    png.extend_from_slice(&sum.sum().to_be_bytes());
}

/// Puts a PNG of 48 pixels into the container that browsers ask for unasked.
fn ico(png: &[u8]) -> Vec<u8> {
    // One picture; its size, no palette, one plane, 32 bits; its length and where it begins.
    let mut ico = vec![0, 0, 1, 0, 1, 0, 48, 48, 0, 0, 1, 0, 32, 0];
    ico.extend_from_slice(&u32::try_from(png.len()).unwrap_or_default().to_le_bytes());
    ico.extend_from_slice(&22_u32.to_le_bytes());
    ico.extend_from_slice(png);
    ico
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strokes(title: &str, id: &str) -> &'static str {
        Icon::new(title, id).strokes
    }

    fn of(c: char) -> &'static str {
        GLYPHS.iter().find(|(known, _)| *known == c).unwrap().1
    }

    #[test]
    fn an_icon_shows_the_initial_of_its_title_without_accent_or_elision() {
        assert_eq!(strokes("École numérique", "x"), of('e'));
        assert_eq!(strokes("L’œuvre", "x"), of('o'));
        assert_eq!(strokes("« 3D »", "x"), of('3'));
        assert_eq!(strokes("教育", "ecole"), of('e'));
        assert_eq!(strokes("…", "…"), "3434");
    }

    #[test]
    fn pixels_are_white_on_strokes_and_coloured_elsewhere() {
        let shades = Icon { strokes: "3038", colour: COLOURS[0] }.shades(16, 16);
        let row: Vec<u8> = shades[8 * 16..9 * 16].to_vec();
        assert!(row[..6].iter().chain(&row[10..]).all(|shade| *shade == 0), "{row:?}");
        assert!(row[7] > 5 && row[8] > 5 && shades[..16].iter().all(|shade| *shade == 0), "{row:?}");
    }

    #[test]
    fn every_colour_carries_white() {
        let linear = |part: u8| (f64::from(part) / 255.0).powf(2.2);
        for [red, green, blue] in COLOURS {
            let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
            assert!(1.05 / (luminance + 0.05) > 5.0, "{red:02x}{green:02x}{blue:02x}");
        }
    }

    #[test]
    fn every_letter_is_drawn_within_its_box() {
        for (letter, strokes) in GLYPHS {
            let icon = Icon { strokes, colour: COLOURS[0] };
            let points: Vec<_> = icon.lines().flatten().collect();
            assert!(strokes.split(' ').all(|stroke| stroke.len() >= 4 && stroke.len() % 2 == 0), "{letter}");
            assert!(points.iter().all(|(x, y)| (0.0..=6.0).contains(x) && (0.0..=8.0).contains(y)), "{letter}");
        }
    }

    #[test]
    fn a_png_unpacks_to_its_rows() {
        let png = Icon::new("École", "ecole").png(144, 144);
        let data = png.windows(4).position(|name| name == b"IDAT").unwrap();
        let length = u32::from_be_bytes(png[data - 4..data].try_into().unwrap()) as usize;
        let mut rows = Vec::new();
        let packed = &png[data + 4..data + 4 + length];
        std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(packed), &mut rows).unwrap();
        assert_eq!(rows.len(), 144 * 73);
        assert!(png.len() < 2_000, "{}", png.len());
    }
}
