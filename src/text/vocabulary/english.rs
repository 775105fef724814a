//! The words of English.

use super::Vocabulary;

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
    signatures: &[
        ("The post ", " appeared first on "),
        ("The post ", " first appeared on "),
        ("This post ", " appeared first on "),
    ],
};
