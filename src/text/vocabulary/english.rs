//! The words of English.

use super::{BlogWords, Vocabulary};

/// The words of English.
pub static ENGLISH: Vocabulary = Vocabulary {
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    grammar: "
        about after again all also among and any are around because been before being between both but can could did
        does during each every for from had has have her here his how into its just many more most much not off one
        only other our out over own per same she should since some still such than that the their them then there
        these they this those three through too two under until upon use very was well were what when where which
        while who why will with without would you your",
    framing: "",
    untelling: "
        day days first get last like made make need new news now people said says time times used way week weeks year
        years",
    blog: BlogWords {
        openings: &["The post ", "This post ", "This article ", "The article "],
        claims: &[" appeared first on ", " first appeared on ", " was first published on "],
        more: &[
            "read more",
            "read on",
            "continue reading",
            "keep reading",
            "read the rest of this entry",
            "read the rest",
            "read the full article",
            "read the full post",
            "read the full story",
            "read full article",
            "add new comment",
            "leave a comment",
            "log in to post comments",
            "log in or register to post comments",
            "(more…)",
            "(more...)",
        ],
        more_of: &["continue reading ", "read the rest of ", "read more about "],
        about: &[" about", " of", " on"],
    },
};
