//! Abbreviations of time zones: RFC 822 §5.1, those that tzdata uses or used, and the usual ones of other languages.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Minutes east of Greenwich, and the abbreviations that mean them.
///
/// One that several zones share means the one that feeds mean by it: `IST` is India's, `CST` America's, `BST` Britain's.
const ZONES: &[(i32, &str)] = &[
    (-720, "aoe"),
    (-660, "sst nut"),
    (-600, "hst ckt taht ahst"),
    (-540, "akst hdt hadt ahdt gamt yst"),
    (-480, "pst akdt hnp ydt"),
    (-420, "mst pdt hap hnr ppt"),
    (-360, "cst mdt hnc har galt"),
    (-300, "est cdt hne hac pet cot ect act"),
    (-240, "edt ast hae hna bot vet clt gyt pyt amt"),
    (-210, "nst hnt"),
    (-180, "adt haa art brt clst pyst uyt srt gft rott wgt pmst fkst"),
    (-150, "ndt hat"),
    (-120, "brst uyst fnt wgst pmdt arst"),
    (-60, "azot cvt egt"),
    (0, "z ut utc gmt uct wet azost egst tuc"),
    (60, "west bst cet met mez wat"),
    (120, "cest mest mesz eet sast cat wast haec bdst"),
    (180, "eest idt msk мск eat trt syot"),
    (210, "irst"),
    (240, "msd gst azt get mut ret sct samt volt"),
    (270, "irdt aft"),
    (300, "pkt uzt tmt tjt mvt yekt orat aqtt azst"),
    (330, "ist slst"),
    (345, "npt"),
    (360, "pkst btt kgt omst novst almt vost yekst iot"),
    (390, "mmt cct"),
    (420, "wib ict krat novt davt hovt cxt omsst"),
    (480, "awst wita hkt sgt myt pht phst irkt ulat bnt cast krast hovst"),
    (525, "acwst"),
    (540, "jst kst wit hkst awdt yakt tlt pwt chot irkst ulast"),
    (570, "acst"),
    (600, "aest chst vlat pgt chut ddut kdt yakst"),
    (630, "acdt lhst"),
    (660, "aedt lhdt sbt vut nct sret sakt magt pont kost vlast"),
    (690, "nft"),
    (720, "nzst nzmt fjt anat pett tvt mht wft gilt wakt"),
    (765, "chast"),
    (780, "nzdt tot phot tkt fjst nfdt"),
    (825, "chadt"),
    (840, "lint tost"),
];

/// The same by abbreviation.
static MINUTES: LazyLock<HashMap<&'static str, i32>> = LazyLock::new(|| {
    let zones = ZONES.iter().flat_map(|(minutes, names)| names.split(' ').map(|name| (name, *minutes)));
    zones.collect()
});

/// Returns the minutes east of Greenwich that a folded word means, if it is an abbreviation.
pub(super) fn minutes(word: &str) -> Option<i32> {
    MINUTES.get(word).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, Offset, TimeZone};
    use chrono_tz::{OffsetName, TZ_VARIANTS};

    use super::*;

    #[test]
    fn every_abbreviation_that_a_zone_of_tzdata_uses_today_is_known() {
        let mut used: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for month in 0..24 {
            let instant = DateTime::from_timestamp(1_735_689_600 + month * 2_600_000, 0).unwrap().naive_utc();
            for zone in TZ_VARIANTS {
                let offset = zone.offset_from_utc_datetime(&instant);
                if let Some(name) = offset.abbreviation().filter(|name| name.bytes().all(|c| c.is_ascii_alphabetic())) {
                    used.entry(name.to_lowercase()).or_default().push(offset.fix().local_minus_utc() / 60);
                }
            }
        }
        assert!(used.len() > 40, "{used:?}");
        for (name, offsets) in used {
            assert!(minutes(&name).is_some_and(|minutes| offsets.contains(&minutes)), "{name} {offsets:?}");
        }
    }

    #[test]
    fn no_abbreviation_is_listed_twice() {
        let mut names: Vec<&str> = ZONES.iter().flat_map(|(_, names)| names.split(' ')).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
