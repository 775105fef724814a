//! The manual's own words: exit codes, the environment, files, examples.

/// A term and its explanation.
pub(super) type Row = (&'static str, &'static str);

/// The day on which these texts were changed last.
pub(super) const DATE: &str = "2026-11-28";

/// The description of veille as a whole.
pub(super) const DESCRIPTION: &str = "\
veille polls news feeds, keeps the entries that are about your topics, tells each item once whoever published it, and
publishes each topic as one clean Atom feed, with a page, RSS and JSON beside it.

Feeds, topics and all settings stand in one file in TOML. `veille check` tells everything that is wrong with it, and where;
`veille check --keys` lists every key with its values and its default. The daemon, `veille run`, takes over a saved file by
itself.

Results go to the standard output, the log and errors to the standard error. With `--json` results are JSON lines, whose
keys stay as they are from version to version.";

/// Pages of the system that help to understand that of veille.
pub(super) const RELATED: &[&str] = &["crontab(5)", "journalctl(1)", "systemd.exec(5)", "systemctl(1)"];

const EXIT_STATUS: [Row; 3] = [
    ("0", "Done."),
    ("1", "Failed while running."),
    ("2", "Wrong usage, or a config that is missing or has a mistake. Nothing was changed."),
];

/// Reasons for an exit code that only some commands have.
const EXIT_STATUS_OF: &[(&str, Row)] = &[
    ("run", ("0", "Ended by SIGTERM or SIGINT, in order.")),
    ("run", ("1", "A part of the daemon failed. `systemd` starts it again.")),
    ("demo", ("0", "Ended by a signal, in order.")),
    ("demo", ("1", "The port is taken, or a folder cannot be made; or another failure.")),
    ("demo", ("2", "Wrong usage, or a folder to keep that is not empty.")),
    ("poll", ("0", "Done. Some feeds may have failed: `veille feeds` tells which.")),
    (
        "poll",
        (
            "1",
            "No host answers, or every feed that was asked failed and these are more than half of all, or were named; or \
             another failure.",
        ),
    ),
    ("feeds", ("0", "Done; with `--check` also: all is well.")),
    (
        "feeds",
        (
            "1",
            "With `--check`: a feed needs somebody, more than half of all feeds fail, or this machine lacks something; or \
             another failure.",
        ),
    ),
    ("check", ("0", "The config is valid. There may be warnings.")),
    ("check", ("2", "The config has mistakes, and each is told; or there is none; or wrong usage.")),
    ("preview", ("0", "Ended by SIGTERM or SIGINT.")),
    ("preview", ("1", "There is no store, or the port is taken; or another failure.")),
    ("completions", ("2", "Wrong usage.")),
    ("man", ("2", "Wrong usage, or a command that there is not.")),
    ("inspect", ("1", "The document cannot be fetched, or is no feed; or another failure.")),
    ("restore", ("1", "The daemon runs, or the backup is of no use; the store is as before. Or another failure.")),
];

const ENVIRONMENT: [Row; 16] = [
    ("VEILLE_CONFIG", "The config file, where `--config` names none."),
    (
        "VEILLE_LOG",
        "How much is logged: `error`, `warn`, `info`, `debug`, `trace` or `off`; for a part of the program \
         `veille::fetch=trace`; several of these with commas. It comes before `--verbose`.",
    ),
    (
        "VEILLE_LOG_FORMAT",
        "Form of the log: `terminal`, `journal`, `text` or `json`. Without it the form is that for a terminal, for the \
         journal, or text, by where the standard error leads.",
    ),
    ("NO_COLOR", "If it is set and not empty, nothing is coloured."),
    ("TZ", "Time zone of the times in the log on a terminal. All other times are those of `poll.timezone` or UTC."),
    (
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY",
        "Proxies, also in lower case (`https_proxy`, `http_proxy`, `all_proxy`). They count only where the config says \
         `proxy = \"environment\"`.",
    ),
    ("NO_PROXY", "Hosts and networks that are asked without these proxies."),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "Certificates of authorities to trust, in the place of the system's."),
    (
        "CREDENTIALS_DIRECTORY",
        "Folder of the secrets that the config names by `{ credential = \"...\" }`. `systemd` sets it for \
         `LoadCredential=`.",
    ),
    ("PGPASSWORD", "Password of the database that `veille store copy` writes to."),
    ("LISTEN_FDS, LISTEN_PID", "A socket that `systemd` hands over, used in the place of `serve.listen`."),
    ("NOTIFY_SOCKET", "Where the daemon tells `systemd` that it serves, reloads, ends, and lives."),
    ("WATCHDOG_USEC, WATCHDOG_PID", "How often `systemd` wants a sign of life."),
    ("JOURNAL_STREAM", "Set by `systemd`: by it veille knows that its standard error leads to the journal."),
    (
        "_RJEM_MALLOC_CONF",
        "Settings of jemalloc, the allocator. Unless it is set, `run`, `poll` and `publish` start themselves again with \
         settings that keep little freed memory.",
    ),
    (
        "MALLOC_ARENA_MAX, MALLOC_TRIM_THRESHOLD_",
        "Settings of the C library's allocator. They are set together with those of jemalloc.",
    ),
];

const FILES: [Row; 8] = [
    ("config.toml", "The config, in the current folder, where neither `--config` nor `VEILLE_CONFIG` names one."),
    ("/etc/veille/config.toml", "The config, where the current folder has none either."),
    (
        "data/veille.db",
        "The store (`store.path`), a database of SQLite, unless `store.url` names one of PostgreSQL. Like all paths in the config, it is relative to the config's folder. \
         While it is open, `veille.db-wal` and `veille.db-shm` beside it belong to it: copy it by `veille backup`.",
    ),
    ("data/veille.db.before-*", "A store whose place a backup took, by `veille restore`."),
    ("data/public/", "The published files (`publish.directory`). A web server may serve them."),
    ("data/veille.db.lock, data/public.lock", "The process that holds the store and the published folder."),
    ("/run/veille/", "Unix sockets, where the config names one for `serve.listen` or `serve.internal`."),
    ("/var/lib/veille/", "Folder that the unit of `systemd` makes for the store and the published files."),
];

/// Examples by command; those of the empty name are for veille as a whole.
pub(super) const EXAMPLES: &[(&str, &[Row])] = &[
    (
        "",
        &[
            ("veille check", "Validates the config."),
            ("veille run", "Polls, publishes and serves until Ctrl-C."),
            ("veille inspect https://www.education.gouv.fr/rss.xml", "Shows what a feed holds, without a config too."),
            ("veille feeds", "Shows which feeds are in trouble, and what to do."),
            ("veille man poll | man -l -", "Shows the page of a command."),
        ],
    ),
    (
        "run",
        &[
            ("veille run", "Runs in the foreground with the usual config; Ctrl-C ends it."),
            ("VEILLE_LOG=debug veille run --config /etc/veille/config.toml", "Tells in the log what each poll does."),
        ],
    ),
    (
        "poll",
        &[
            ("veille poll", "Polls what is due, and publishes: for a timer or cron."),
            ("veille poll --force --json", "Polls all feeds and prints a JSON line for each."),
            ("veille poll education -vv", "Polls one feed, and tells in detail how."),
        ],
    ),
    (
        "demo",
        &[
            ("veille demo", "Shows everything at work on http://127.0.0.1:8080/ until Ctrl-C."),
            (
                "veille demo --port 0 --keep demo",
                "Takes a free port, and leaves config and store in the folder `demo`.",
            ),
        ],
    ),
    (
        "check",
        &[
            ("veille check --config copy.toml", "Shows every mistake of a copy before it is live."),
            ("veille check --keys | less", "Lists every key with its values and its default."),
        ],
    ),
    (
        "inspect",
        &[
            ("veille inspect https://www.education.gouv.fr/rss.xml", "Shows what a feed holds."),
            ("veille inspect --json feed.xml | jq .entries", "Prints the entries of a file as JSON."),
        ],
    ),
    (
        "explain",
        &[
            ("veille explain 1234 --topic numerique-educatif", "Shows why a stored entry is or is not in a topic."),
            ("veille explain - < text.txt", "Tries a text, whose first line is its title."),
        ],
    ),
    (
        "words",
        &[
            (
                "veille words laicite",
                "Shows the stories that each term of a topic brings, and those that are nearly in.",
            ),
            ("veille words --labelled set.jsonl", "Shows also how often each term is right."),
        ],
    ),
    (
        "suggest",
        &[
            ("veille suggest laicite set.jsonl", "Prints rules learnt from labelled entries, ready to paste."),
            ("veille suggest laicite set.jsonl --ask", "Asks about the stored entries that would teach most."),
            ("veille suggest laicite", "Shows words of the topic's stories that stand in a few others too."),
        ],
    ),
    (
        "diff",
        &[
            ("veille diff --config copy.toml", "Shows what a copy of the config would change."),
            ("veille diff --limit 5", "Shows at most five entries gained and five lost for each topic."),
        ],
    ),
    (
        "preview",
        &[
            ("veille preview --config copy.toml", "Prints the address of a page that follows a copy of the config."),
            (
                "veille preview --port 8099",
                "Listens at a port of your choice, to which `ssh -L 8099:127.0.0.1:8099` may lead from your own machine.",
            ),
        ],
    ),
    (
        "test",
        &[
            ("veille test set.jsonl --topic laicite", "Shows how often a topic is right, and where it is wrong."),
            ("veille test set.jsonl --summary --json", "Prints the figures alone, as JSON lines."),
        ],
    ),
    (
        "label",
        &[("veille label --topic laicite set.jsonl", "Asks about stored entries, and adds the answers to the file.")],
    ),
    (
        "feeds",
        &[
            ("veille feeds", "Shows all feeds, troubles first."),
            ("veille feeds --check > /dev/null", "Tells by the exit code whether somebody is needed."),
            ("veille feeds --json | jq -r 'select(.failures > 0).id'", "Lists the feeds that fail."),
        ],
    ),
    (
        "entries",
        &[
            ("veille entries --topic laicite --since '7 days'", "Lists the entries of a topic of the last seven days."),
            ("veille entries --search '\"open data\" école'", "Finds entries with these words, in any form of them."),
        ],
    ),
    ("merge", &[("veille merge 1234 1250", "Makes one story of two entries, which `veille entries` lists by number.")]),
    ("split", &[("veille split 1250", "Takes an entry out of its story.")]),
    (
        "nodes",
        &[
            ("veille nodes", "Shows the machines that share the store, and which is in trouble."),
            ("veille nodes --json | jq -r 'select(.is_alive | not).node'", "Lists those that are silent."),
        ],
    ),
    ("publish", &[("veille publish", "Writes all files again, for example after some were lost.")]),
    (
        "post",
        &[
            ("veille post --dry-run", "Shows what waits, where it would go, and as it would look."),
            ("veille post --test fediverse", "Sends one message on trial to the target of a post."),
        ],
    ),
    (
        "add",
        &[
            ("veille add https://www.vie-publique.fr", "Adds the feed that a page names."),
            ("veille add https://example.org/feed.xml --id example", "Adds a feed under an id of your own."),
        ],
    ),
    ("import", &[("veille import subscriptions.opml", "Adds the feeds that another reader exported.")]),
    (
        "export",
        &[
            ("veille export > feeds.opml", "Writes the feeds that are polled."),
            ("veille export --topics > topics.opml", "Writes the topics, for readers to subscribe to."),
        ],
    ),
    ("backup", &[("veille backup /var/backups/veille.db", "Copies the store while the daemon runs.")]),
    ("restore", &[("veille restore /var/backups/veille.db", "Puts a copy back, after the daemon was stopped.")]),
    (
        "store copy",
        &[
            ("veille store copy --to postgresql://veille@db.example.org/veille", "Moves to a database of PostgreSQL."),
            ("veille store copy --to data/veille.db", "Moves from a database to a new file."),
        ],
    ),
    (
        "completions",
        &[("veille completions bash > ~/.local/share/bash-completion/completions/veille", "Installs those of bash.")],
    ),
    (
        "man",
        &[
            ("veille man poll | man -l -", "Shows the page of a command."),
            ("veille man --to ~/.local/share/man/man1", "Installs all pages for yourself."),
        ],
    ),
];

/// Returns the sections of the page of a command, in their order.
pub(super) fn sections(command: &str) -> Vec<(&'static str, Vec<Row>)> {
    let mut sections = vec![("EXIT STATUS", exit_status(command))];
    let (environment, files) = match command {
        "" => (ENVIRONMENT.to_vec(), FILES.to_vec()),
        // They read no config.
        "completions" | "man" => (Vec::new(), Vec::new()),
        "demo" => ([&ENVIRONMENT[1..4], &[("...", "veille(1) tells of all others.")]].concat(), Vec::new()),
        _ => (
            [&ENVIRONMENT[..4], &[("...", "veille(1) tells of all others.")]].concat(),
            [&FILES[..2], &[("...", "veille(1) tells of all others.")]].concat(),
        ),
    };
    let examples = EXAMPLES.iter().filter(|(of, _)| *of == command).flat_map(|(_, rows)| rows.iter().copied());
    sections.extend([("ENVIRONMENT", environment), ("FILES", files), ("EXAMPLES", examples.collect())]);
    sections.retain(|(_, rows)| !rows.is_empty());
    sections
}

/// Returns the exit codes of a command: its own reasons, else those of all.
fn exit_status(command: &str) -> Vec<Row> {
    let own = |code: &str| EXIT_STATUS_OF.iter().find(|(of, (own, _))| *of == command && *own == code);
    EXIT_STATUS.iter().map(|usual| own(usual.0).map_or(*usual, |(_, row)| *row)).collect()
}
