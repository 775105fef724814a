//! Declaration of a table of the config: [`table!`] makes its struct, its keys and its reading from one row a key.

use std::fmt;

use super::findings::Findings;
use super::tree::Literal;

/// A table of the config and its keys.
#[derive(Debug)]
pub(super) struct Table {
    /// As it is written: `[poll]`, `[[feed]]`, `auth = { … }`; empty for the document.
    pub(super) written: &'static str,
    pub(super) groups: &'static [Keys],
}

/// Keys of a table that one struct declares.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) about: &'static str,
    pub(super) keys: &'static [Key],
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) wanted: Wanted,
    pub(super) absent: Absent,
}

/// The type of a key: how it is read, and how messages and the reference say it.
#[derive(Debug)]
pub(super) struct KeyType<T> {
    pub(super) wanted: Wanted,
    /// Reads a value of this type; notes a mistake and returns nothing if it has one.
    pub(super) read: fn(&Literal, &Key, &mut Findings<'_>) -> Option<T>,
}

/// The values that a key takes, for "`key` must be …": durations in seconds, sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    Described(&'static str),
    Whole(i64, i64),
    Decimal(f64, f64),
    Duration(u64, u64),
    Size(u64, u64),
}

/// The meaning of a key that is not written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Absent {
    /// A value, as written in TOML.
    Default(&'static str),
    Refused,
    Means(&'static str),
}

impl Table {
    /// Its name in messages: `poll`, `topic.rule`, `auth`.
    pub(super) fn name(&self) -> &'static str {
        let name = self.written.split(" = ").next().unwrap_or_default();
        name.trim_matches(['[', ']'])
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'static Key> + Clone {
        self.groups.iter().flat_map(|group| group.keys)
    }

    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }
}

impl<T> KeyType<T> {
    pub(super) const fn new(wanted: &'static str, read: fn(&Literal, &Key, &mut Findings<'_>) -> Option<T>) -> Self {
        Self { wanted: Wanted::Described(wanted), read }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Described(text) => to.write_str(text),
            Self::Whole(min, max) => write!(to, "a whole number from {min} to {max}"),
            Self::Decimal(min, max) => write!(to, "a number from {min} to {max}"),
            Self::Duration(min, max) => write!(to, "a duration from {} to {}", in_words(min), in_words(max)),
            Self::Size(min, max) => write!(to, "a size from {} to {}", in_bytes(min), in_bytes(max)),
        }
    }
}

/// Says a duration in the largest unit that needs no fraction.
pub(super) fn in_words(seconds: u64) -> String {
    let units = [(31_536_000, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let whole = units.iter().find(|(worth, _)| seconds >= *worth && seconds.is_multiple_of(*worth));
    match whole.map(|(worth, unit)| (seconds / worth, *unit)) {
        None => "0 seconds".into(),
        Some((1, unit)) => format!("1 {unit}"),
        Some((number, unit)) => format!("{number} {unit}s"),
    }
}

pub(super) fn in_bytes(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = units.iter().find(|(worth, _)| bytes >= *worth && bytes.is_multiple_of(*worth));
    whole.map_or_else(|| format!("{bytes} bytes"), |(worth, unit)| format!("{} {unit}", bytes / worth))
}

/// Declares a table: a struct with one field a key, its `KEYS`, and `read`, which notes every mistake.
///
/// A row is `field as "key": Type = KEY_TYPE, absence;`, without `as` if the key is called like its field. Its doc comment
/// goes into the reference. The absence tells the value of the field if the key is not written:
/// - `default(VALUE)`: this value, as written in TOML;
/// - `required`: none, it is a mistake;
/// - `optional("…")`: `None`, for which the reference says the text;
/// - `otherwise("…")`: the default of its type, for which the reference says the text;
/// - `of(table)`: that of the same field in a table which is read already.
///
/// `in "[name]"` makes `TABLE`, written so; `and Other` adds the keys of another struct to it. Fields under `beside` are no
/// keys, and have their own reading.
macro_rules! table {
    (
        $(#[doc = $about:literal])+
        #[derive($($Derived:ident),+)]
        $vis:vis struct $Struct:ident $(in $written:literal $(and $Other:ident)?)? {
            $(
                $(#[doc = $doc:literal])*
                $field:ident $(as $key:literal)?: $Type:ty = $of:expr, $absence:ident $(($($value:tt)+))?;
            )+
        }
        $(beside { $( $(#[doc = $beside_doc:literal])+ $beside:ident: $Beside:ty = $read:expr; )+ })?
    ) => {
        $(#[doc = $about])+
        #[derive($($Derived),+)]
        $vis struct $Struct {
            $( $(#[doc = $doc])* $vis $field: $Type, )+
            $($( $(#[doc = $beside_doc])+ $vis $beside: $Beside, )+)?
        }

        impl $Struct {
            const KEYS: Keys = Keys {
                about: concat!($($about),+),
                keys: &[$( Key {
                    name: table!(@name $field $($key)?),
                    about: concat!($($doc),*),
                    wanted: $of.wanted,
                    absent: table!(@absent $absence [$($($value)+)?]),
                } ),+],
            };

            $(pub(super) const TABLE: &Table =
                &Table { written: $written, groups: &[Self::KEYS $(, $Other::KEYS)?] };)?

            /// Reads all its keys; nothing if one of them has a mistake.
            pub(super) fn read(section: &Section<'_>, found: &mut Findings<'_>) -> Option<Self> {
                $( let $field = table!(@read $absence [$($($value)+)?] $field, found,
                    section.read(table!(@name $field $($key)?), &$of, found)); )+
                $($( let $beside = $read(section, found); )+)?
                Some(Self { $( $field: $field?, )+ $($( $beside: $beside?, )+)? })
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $key:literal) => { $key };
    (@absent default [$($toml:tt)+]) => { Absent::Default(stringify!($($toml)+)) };
    (@absent required []) => { Absent::Refused };
    (@absent of [$table:ident]) => { Absent::Means(concat!("that of `[", stringify!($table), "]`")) };
    (@absent $absence:ident [$text:literal]) => { Absent::Means($text) };
    (@read optional [$text:literal] $field:ident, $found:ident, $own:expr) => { Some($own) };
    (@read otherwise [$text:literal] $field:ident, $found:ident, $own:expr) => { Some($own.unwrap_or_default()) };
    (@read of [$table:ident] $field:ident, $found:ident, $own:expr) => {
        $own.or_else(|| $found.$table.as_ref().map(|table| table.$field.clone()))
    };
    (@read $absence:ident [$($value:tt)*] $field:ident, $found:ident, $own:expr) => { $own };
}

pub(super) use table;
